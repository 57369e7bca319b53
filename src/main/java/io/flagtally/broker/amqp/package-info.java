/**
 * Any broker that speaks AMQP 1.0, over the client of Vert.x.
 *
 * <p><b>Owns</b> what is said to the broker over a connection, and the look at addresses and credentials before the start.
 *
 * <p><b>Does not own</b> when connections are made again, which {@link io.flagtally.broker.PushedQueue} and
 * {@link io.flagtally.broker.ConfirmedSends} decide, nor queues, which the broker or its operator makes.
 *
 * <p><b>Invariants</b>: a message is settled only when it is acknowledged; one that is refused is released, which counts as no
 * attempt. No event loop waits for the broker.
 */
@NullMarked
package io.flagtally.broker.amqp;

import org.jspecify.annotations.NullMarked;
