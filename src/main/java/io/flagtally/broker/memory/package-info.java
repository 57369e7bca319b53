/**
 * The in-process broker.
 *
 * <p><b>Owns</b> a bounded connector that joins an outgoing and an incoming channel of the same process.
 *
 * <p><b>Does not own</b> acknowledgement, which is the consumer's.
 *
 * <p><b>Invariants</b>: what is in it is bounded, and fullness pushes back on the sender.
 */
@NullMarked
package io.flagtally.broker.memory;

import org.jspecify.annotations.NullMarked;
