package io.flagtally.event;

import java.time.Instant;
import java.util.function.Function;

/**
 * A user reached a goal.
 *
 * @param value what it was worth, in the unit the product chose; finite
 */
public record GoalEvent(
        EventId id, EnvironmentId environment, GoalId goal, double value, UserId user, Instant time, SourceId source)
        implements FlagEvent {

    @Override
    public <T> T match(Function<EvaluationEvent, T> evaluation, Function<GoalEvent, T> goal) {
        return goal.apply(this);
    }
}
