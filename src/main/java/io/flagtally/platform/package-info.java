/**
 * What every part stands on.
 *
 * <p><b>Owns</b> the clock, the availability of what the service needs, and the start of the process.
 *
 * <p><b>Does not own</b> anything about events.
 *
 * <p><b>Invariants</b>: nothing else in the house reads the system clock.
 */
@NullMarked
package io.flagtally.platform;

import org.jspecify.annotations.NullMarked;
