/**
 * RabbitMQ, over the connector of SmallRye.
 *
 * <p><b>Owns</b> how headers travel as headers of a message, and the exchanges and quorum queues: they are made here, before
 * the first event is taken, since what is sent to an exchange without a queue is confirmed and gone.
 *
 * <p><b>Does not own</b> connections of the channels, prefetch and confirms, which are the connector's.
 *
 * <p><b>Invariants</b>: a message leaves its queue only when it is acknowledged; one that is refused returns to it.
 */
@NullMarked
package io.flagtally.broker.rabbitmq;

import org.jspecify.annotations.NullMarked;
