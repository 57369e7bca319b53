package io.flagtally.store.redis;

import io.flagtally.event.EnvironmentId;
import io.flagtally.event.UserId;
import io.flagtally.pipeline.UserEraser;
import io.smallrye.mutiny.Uni;
import jakarta.inject.Singleton;
import java.util.List;

/** Redis holds no user, only estimates of how many there were, from which none can be taken. */
@Singleton
public class RedisUserEraser implements UserEraser {

    private static final String ESTIMATES =
            "Estimates of users and counts of evaluations in Redis: they name nobody, and are" + " deleted "
                    + CounterRetention.DAY_KEPT.toDays() + " days after the end of their day.";

    @Override
    public Uni<Erasure> erase(EnvironmentId environment, UserId user) {
        return Uni.createFrom().item(new Erasure(List.of(), List.of(ESTIMATES)));
    }
}
