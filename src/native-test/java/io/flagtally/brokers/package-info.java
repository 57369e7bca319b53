/**
 * The packaged service with a broker between its door and its counts.
 *
 * <p><b>Owns</b> the contract that every broker keeps ({@link io.flagtally.brokers.BrokerContract}), the kill test, and
 * what they ask of a broker ({@link io.flagtally.brokers.BrokerForTests}).
 *
 * <p><b>Does not own</b> the connectors.
 *
 * <p><b>Invariants</b>: the suite is the same for every broker; a subclass says which broker, and nothing else.
 */
@NullMarked
package io.flagtally.brokers;

import org.jspecify.annotations.NullMarked;
