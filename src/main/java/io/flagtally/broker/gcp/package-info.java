/**
 * Google Pub/Sub.
 *
 * <p><b>Owns</b> a connector that sends to a topic and receives from a subscription, and what its failures mean to an
 * operator.
 *
 * <p><b>Does not own</b> backpressure and leases, which are {@link io.flagtally.broker.LeasedSource}'s.
 *
 * <p><b>Invariants</b>: a message is acknowledged to Pub/Sub after it was acknowledged here and not before; the deadline
 * of what is being worked on is extended; no client exists unless the connector is chosen.
 */
@NullMarked
package io.flagtally.broker.gcp;

import org.jspecify.annotations.NullMarked;
