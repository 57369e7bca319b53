/**
 * RabbitMQ, over its own client.
 *
 * <p><b>Owns</b> the exchanges and quorum queues: they are made here, before the first event is taken; and what is said to
 * RabbitMQ over a connection.
 *
 * <p><b>Does not own</b> when connections are made again, which {@link io.flagtally.broker.PushedQueue} and
 * {@link io.flagtally.broker.ConfirmedSends} decide.
 *
 * <p><b>Invariants</b>: a message leaves its queue only when it is acknowledged over the connection it came over; a message
 * that is sent counts as sent when it is confirmed and a queue has it. No event loop waits for RabbitMQ.
 */
@NullMarked
package io.flagtally.broker.rabbitmq;

import org.jspecify.annotations.NullMarked;
