/**
 * Work that runs now and then, once across all processes.
 *
 * <p><b>Owns</b> when a job runs, the ports {@link io.flagtally.platform.job.Job} and
 * {@link io.flagtally.platform.job.JobLedger}, and the face that lists and starts jobs.
 *
 * <p><b>Does not own</b> what a job does.
 *
 * <p><b>Invariants</b>: of a job at most one run is under way at a time, unless one has exceeded its timeout, and a slot of
 * its schedule is run to its end once; a missed slot is caught up with by the next one.
 */
@NullMarked
package io.flagtally.platform.job;

import org.jspecify.annotations.NullMarked;
