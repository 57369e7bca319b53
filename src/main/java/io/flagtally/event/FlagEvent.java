package io.flagtally.event;

import java.time.Instant;
import java.util.function.Function;

/** Something a user's SDK reported: an evaluation of a flag, or a goal that was reached. */
public sealed interface FlagEvent permits EvaluationEvent, GoalEvent {

    EventId id();

    EnvironmentId environment();

    UserId user();

    /** When it happened by the SDK's clock, in whole seconds. Decides where the event is counted. */
    Instant time();

    SourceId source();

    /** Folds over the kinds of event: a new kind does not compile until every caller handles it. */
    <T> T match(Function<EvaluationEvent, T> evaluation, Function<GoalEvent, T> goal);
}
