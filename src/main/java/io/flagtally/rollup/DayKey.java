package io.flagtally.rollup;

import io.flagtally.event.EnvironmentId;
import io.flagtally.event.SourceId;
import java.time.LocalDate;

/** An SDK on one local day. */
public record DayKey(EnvironmentId environment, LocalDate day, SourceId source) {}
