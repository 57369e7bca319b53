/**
 * The monthly report.
 *
 * <p><b>Owns</b> what is sent to webhooks on the first of a month, in which form, and how it is signed and repeated.
 *
 * <p><b>Does not own</b> when a job runs, and that it is run once ({@code platform.job}).
 *
 * <p><b>Invariants</b>: the same report carries the same idempotency key, however often it is sent.
 */
@NullMarked
package io.flagtally.series.report;

import org.jspecify.annotations.NullMarked;
