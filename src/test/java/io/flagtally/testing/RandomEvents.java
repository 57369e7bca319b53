package io.flagtally.testing;

import io.flagtally.event.EnvironmentId;
import io.flagtally.event.EvaluationEvent;
import io.flagtally.event.EventId;
import io.flagtally.event.FlagEvent;
import io.flagtally.event.FlagId;
import io.flagtally.event.GoalEvent;
import io.flagtally.event.GoalId;
import io.flagtally.event.Reason;
import io.flagtally.event.SourceId;
import io.flagtally.event.UserId;
import io.flagtally.event.VariationId;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/** Makes events at random from a seed; the same seed makes the same events. Few flags and users, so that they meet. */
public final class RandomEvents {

    /** The time that events lie before, by up to two days. */
    public static final Instant NOW = Instant.parse("2026-11-21T12:00:00Z");

    private final Random random;

    public RandomEvents(long seed) {
        random = new Random(seed);
    }

    public List<FlagEvent> events(int count) {
        List<FlagEvent> events = new ArrayList<>(count);
        for (int i = 0; i < count; i++) {
            events.add(random.nextInt(10) == 0 ? goal() : evaluation());
        }
        return events;
    }

    public EvaluationEvent evaluation() {
        return evaluation(
                id(), "flag-" + random.nextInt(4), "v" + random.nextInt(3), "user-" + random.nextInt(50), time());
    }

    public GoalEvent goal() {
        return new GoalEvent(
                id(),
                EnvironmentId.DEFAULT,
                new GoalId("goal-" + random.nextInt(3)),
                random.nextDouble(),
                new UserId("user-" + random.nextInt(50)),
                time(),
                SourceId.WEB);
    }

    /** An id of version 4. */
    public EventId id() {
        long high = random.nextLong() & ~0xF000L | 0x4000L;
        long low = random.nextLong() & ~(0b11L << 62) | 0b10L << 62;
        return new EventId(high, low);
    }

    public Instant time() {
        return NOW.minusSeconds(random.nextInt(2 * 24 * 3600));
    }

    /** An evaluation of which only matters who was active where, by which SDK and when. */
    public EvaluationEvent activity(EnvironmentId environment, String user, SourceId source, Instant time) {
        return new EvaluationEvent(
                id(),
                environment,
                new FlagId("flag"),
                1,
                new VariationId("v0"),
                new UserId(user),
                Reason.RULE,
                time,
                source);
    }

    public static EvaluationEvent evaluation(EventId id, String flag, String variation, String user, Instant time) {
        return new EvaluationEvent(
                id,
                EnvironmentId.DEFAULT,
                new FlagId(flag),
                1,
                new VariationId(variation),
                new UserId(user),
                Reason.RULE,
                time,
                SourceId.WEB);
    }
}
