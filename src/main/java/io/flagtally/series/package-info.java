/**
 * Numbers out.
 *
 * <p><b>Owns</b> the event counter's HTTP faces and the port {@link io.flagtally.series.SeriesReader}.
 *
 * <p><b>Does not own</b> how numbers are stored.
 *
 * <p><b>Invariants</b>: reads never write and take one or two round trips.
 */
@NullMarked
package io.flagtally.series;

import org.jspecify.annotations.NullMarked;
