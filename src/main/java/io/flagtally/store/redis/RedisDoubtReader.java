package io.flagtally.store.redis;

import io.flagtally.series.Doubt;
import io.flagtally.series.DoubtReader;
import io.smallrye.mutiny.Uni;
import io.vertx.mutiny.redis.client.Command;
import io.vertx.mutiny.redis.client.Request;
import io.vertx.mutiny.redis.client.Response;
import jakarta.inject.Inject;
import jakarta.inject.Singleton;
import java.util.ArrayList;
import java.util.List;

/** Reads the list that {@link DoubtLog} keeps, in one round trip. */
@Singleton
public final class RedisDoubtReader implements DoubtReader {

    private final RedisReadLink link;

    @Inject
    RedisDoubtReader(RedisReadLink link) {
        this.link = link;
    }

    @Override
    public Uni<List<Doubt>> doubts() {
        Request range = Request.cmd(Command.LRANGE).arg(RedisKeys.DOUBTS).arg(0).arg(DoubtLog.LISTED_MAX - 1);
        return link.send(List.of(range)).map(replies -> {
            List<Doubt> doubts = new ArrayList<>();
            for (Response text : replies.get(0)) {
                Doubt doubt = DoubtLog.decode(text.toString());
                if (doubt != null) {
                    doubts.add(doubt);
                }
            }
            return doubts;
        });
    }
}
