/**
 * A proof that a user can run: {@code java -jar quarkus-run.jar prove}.
 *
 * <p><b>Owns</b> the run of the service against its own embedded servers, the load with its repeats, the faults, and
 * the ledger.
 *
 * <p><b>Does not own</b> any way into the service but HTTP: what is proven is what a client sees.
 *
 * <p><b>Invariants</b>: nothing outside a temporary directory is touched; every process it started ends with it.
 */
@NullMarked
package io.flagtally.proof;

import org.jspecify.annotations.NullMarked;
