/**
 * Amazon SNS and SQS.
 *
 * <p><b>Owns</b> a connector that sends to a topic or a queue and receives from a queue, how headers and bytes stand in
 * their messages, and what their failures mean to an operator.
 *
 * <p><b>Does not own</b> backpressure and leases, which are {@link io.flagtally.broker.LeasedSource}'s.
 *
 * <p><b>Invariants</b>: a message is deleted after it is acknowledged and not before; what is being worked on stays hidden
 * from other consumers; no client exists unless the connector is chosen.
 */
@NullMarked
package io.flagtally.broker.aws;

import org.jspecify.annotations.NullMarked;
