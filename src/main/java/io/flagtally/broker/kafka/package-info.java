/**
 * Apache Kafka, over the connector of SmallRye.
 *
 * <p><b>Owns</b> how headers travel as headers of a record, the look at topics and credentials before the start, the lag
 * of the group, and the marks by which a record is known to have been delivered before.
 *
 * <p><b>Does not own</b> polling, rebalancing and commits, which are the connector's, nor the topics, which the operator
 * makes.
 *
 * <p><b>Invariants</b>: an offset is committed only when every record before it is acknowledged; a record that is
 * refused stays uncommitted.
 */
@NullMarked
package io.flagtally.broker.kafka;

import org.jspecify.annotations.NullMarked;
