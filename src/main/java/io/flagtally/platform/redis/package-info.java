/**
 * How a Redis is reached, whatever is kept there.
 *
 * <p><b>Owns</b> where Redis is and how it is spread over servers, what must have happened to a write before it counts as
 * done, scripts and how they are called, and which failures are the server's.
 *
 * <p><b>Does not own</b> connections, and what is in a Redis.
 *
 * <p><b>Invariants</b>: no key of Redis is named here; nothing here keeps a connection.
 */
@NullMarked
package io.flagtally.platform.redis;

import org.jspecify.annotations.NullMarked;
