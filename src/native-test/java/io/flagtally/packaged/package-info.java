/**
 * The packaged service from outside: as a process, with its files and its HTTP doors.
 *
 * <p><b>Owns</b> tests that start, stop and kill the service, and {@link io.flagtally.packaged.ServiceProcess} for them.
 *
 * <p><b>Does not own</b> what can be tested inside one JVM.
 *
 * <p><b>Invariants</b>: each test has a working directory of its own below {@code target/}, and leaves no process behind.
 */
@NullMarked
package io.flagtally.packaged;

import org.jspecify.annotations.NullMarked;
