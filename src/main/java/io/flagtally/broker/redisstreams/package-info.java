/**
 * Redis Streams as the broker: the smallest durable one, for Redis is there anyway.
 *
 * <p><b>Owns</b> a connector that publishes to and consumes from a number of bounded streams, with consumer groups.
 *
 * <p><b>Does not own</b> what is in a message, and how Redis is reached ({@code platform.redis}).
 *
 * <p><b>Invariants</b>: an entry stays until every group has acknowledged it, and a full stream refuses more; what a dead
 * consumer left is taken over, what a slow one works on is not; nothing here blocks a thread but the check at the start.
 */
@NullMarked
package io.flagtally.broker.redisstreams;

import org.jspecify.annotations.NullMarked;
