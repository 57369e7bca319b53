package io.flagtally.series;

import java.time.LocalDate;

/**
 * Some local dates in a row.
 *
 * @param from the first, inclusive
 * @param to the last, inclusive
 */
public record DateSpan(LocalDate from, LocalDate to) {}
