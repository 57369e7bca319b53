/**
 * Events → numbers to add.
 *
 * <p><b>Owns</b> the time buckets and their calendar, and the fold of a batch of events into counters.
 *
 * <p><b>Does not own</b> where the numbers are kept, nor the decision whether an event was counted before: both are
 * the sinks'.
 *
 * <p><b>Invariants</b>: a fold is pure and order-free, and {@code merge(fold(a), fold(b))} equals
 * {@code fold(a + b)}; the package imports the JDK and {@code event} only.
 */
@NullMarked
package io.flagtally.rollup;

import org.jspecify.annotations.NullMarked;
