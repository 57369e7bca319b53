package io.flagtally.series;

import io.flagtally.event.EnvironmentId;
import io.flagtally.event.SourceId;
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * Who was active in some dates: exact.
 *
 * @param source the SDK, or null for all of them, where a user of two counts once
 * @param users how many, or null if their rows were dropped and no sum was kept
 * @param events evaluations and goals
 * @param open whether late events still change it
 * @param revisedAt when a late event, or the erasure of a person, changed it last, or null if none did or it is not kept
 */
public record PeriodActivity(
        EnvironmentId environment,
        DateSpan dates,
        @Nullable SourceId source,
        @Nullable Long users,
        long events,
        boolean open,
        @Nullable Instant revisedAt) {}
