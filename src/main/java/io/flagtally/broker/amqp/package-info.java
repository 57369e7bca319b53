/**
 * Any broker that speaks AMQP 1.0, over the connector of SmallRye.
 *
 * <p><b>Owns</b> how headers travel as application properties, and the look at addresses and credentials before the start.
 *
 * <p><b>Does not own</b> connections of the channels and credit, which are the connector's, nor queues, which the broker or
 * its operator makes.
 *
 * <p><b>Invariants</b>: a message is settled only when it is acknowledged; one that is refused is released, which counts as no
 * attempt.
 */
@NullMarked
package io.flagtally.broker.amqp;

import org.jspecify.annotations.NullMarked;
