package io.flagtally.event;

import java.time.Instant;
import java.util.function.Function;

/**
 * A flag was evaluated for a user.
 *
 * @param variation the variation that is counted: {@link VariationId#DEFAULT} where {@link Reason#servesDefault()},
 *     whatever the SDK named
 * @param flagVersion the version of the flag's rules, 0 if unknown
 */
public record EvaluationEvent(
        EventId id,
        EnvironmentId environment,
        FlagId flag,
        int flagVersion,
        VariationId variation,
        UserId user,
        Reason reason,
        Instant time,
        SourceId source)
        implements FlagEvent {

    public EvaluationEvent {
        variation = reason.servesDefault() ? VariationId.DEFAULT : variation;
    }

    @Override
    public <T> T match(Function<EvaluationEvent, T> evaluation, Function<GoalEvent, T> goal) {
        return evaluation.apply(this);
    }
}
