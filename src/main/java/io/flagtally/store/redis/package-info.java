/**
 * Counts in Redis.
 *
 * <p><b>Owns</b> the keys, the scripts, and the adapters of the ports that Redis serves.
 *
 * <p><b>Does not own</b> what is counted ({@code rollup}).
 *
 * <p><b>Invariants</b>: check and write are one atomic step; reads use no write command.
 */
@NullMarked
package io.flagtally.store.redis;

import org.jspecify.annotations.NullMarked;
