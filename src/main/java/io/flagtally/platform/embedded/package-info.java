/**
 * The embedded servers.
 *
 * <p><b>Owns</b> a real PostgreSQL and a real Redis as child processes, and their data directory.
 *
 * <p><b>Does not own</b> the use of these servers.
 *
 * <p><b>Invariants</b>: a normal stop leaves no process behind, and no start adopts a leftover one.
 */
@NullMarked
package io.flagtally.platform.embedded;

import org.jspecify.annotations.NullMarked;
