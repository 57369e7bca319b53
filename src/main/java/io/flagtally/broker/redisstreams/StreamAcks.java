package io.flagtally.broker.redisstreams;

import io.smallrye.mutiny.Uni;
import io.vertx.mutiny.core.Vertx;
import io.vertx.mutiny.redis.client.Command;
import io.vertx.mutiny.redis.client.Request;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/**
 * Acknowledges entries of one stream: those that come while an acknowledgement is on its way go together in the next one.
 * Repeats without end what failed; repeating does no harm. Safe for use by several threads.
 */
final class StreamAcks {

    private static final int IDS_MAX = 500;
    private static final Duration PAUSE_AFTER_FAILURE = Duration.ofMillis(300);

    private final Vertx vertx;
    private final StreamLink link;
    private final StreamReader.Membership membership;
    private final Map<String, CompletableFuture<Void>> waiting = new LinkedHashMap<>();
    private boolean busy;
    private @Nullable CompletableFuture<Void> done;

    StreamAcks(Vertx vertx, StreamLink link, StreamReader.Membership membership) {
        this.vertx = vertx;
        this.link = link;
        this.membership = membership;
    }

    /** Completes when Redis has the acknowledgement. */
    Uni<Void> add(String id) {
        CompletableFuture<Void> acknowledged;
        synchronized (this) {
            acknowledged = waiting.computeIfAbsent(id, i -> new CompletableFuture<>());
        }
        sendNext();
        return Uni.createFrom().completionStage(acknowledged);
    }

    /** Completes when none is on its way. */
    synchronized Uni<Void> done() {
        if (done == null) {
            done = new CompletableFuture<>();
        }
        if (waiting.isEmpty()) {
            done.complete(null);
        }
        return Uni.createFrom().completionStage(done);
    }

    private void sendNext() {
        List<String> ids;
        synchronized (this) {
            if (busy || waiting.isEmpty()) {
                return;
            }
            busy = true;
            ids = waiting.keySet().stream().limit(IDS_MAX).toList();
        }
        Request request = Request.cmd(Command.XACK).arg(membership.stream()).arg(membership.group());
        ids.forEach(request::arg);
        link.use(channel -> channel.send(request))
                .subscribe()
                .with(
                        count -> sent(ids),
                        failure -> vertx.setTimer(PAUSE_AFTER_FAILURE.toMillis(), timer -> {
                            synchronized (this) {
                                busy = false;
                            }
                            sendNext();
                        }));
    }

    private void sent(List<String> ids) {
        List<CompletableFuture<Void>> acknowledged = new ArrayList<>();
        synchronized (this) {
            busy = false;
            ids.forEach(id -> {
                CompletableFuture<Void> one = waiting.remove(id);
                if (one != null) {
                    acknowledged.add(one);
                }
            });
        }
        acknowledged.forEach(one -> one.complete(null));
        synchronized (this) {
            if (done != null && waiting.isEmpty()) {
                done.complete(null);
            }
        }
        sendNext();
    }
}
