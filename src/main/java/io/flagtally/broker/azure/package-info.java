/**
 * Azure Service Bus, over AMQP 1.0.
 *
 * <p><b>Owns</b> a connector that sends to a queue or a topic and receives from a queue or a subscription, the renewal of
 * locks and of the tokens of an identity, and what their failures mean to an operator.
 *
 * <p><b>Does not own</b> when connections are made again, which {@link io.flagtally.broker.PushedQueue} and
 * {@link io.flagtally.broker.ConfirmedSends} decide, nor queues, topics and subscriptions, which their operator makes.
 *
 * <p><b>Invariants</b>: a message is completed only when it is acknowledged; its lock is renewed until then. No connection
 * exists unless the connector is chosen, and no event loop waits for Service Bus.
 */
@NullMarked
package io.flagtally.broker.azure;

import org.jspecify.annotations.NullMarked;
