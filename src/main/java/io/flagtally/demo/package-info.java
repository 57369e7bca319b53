/**
 * Believable traffic for who looks at Flagtally for the first time, switched on with {@code flagtally.demo}.
 *
 * <p><b>Owns</b> the flags, users and habits of a made-up shop, its month of history, and the pace at which it is sent.
 *
 * <p><b>Does not own</b> any way into the service but HTTP: its events come through the door, as those of an SDK do.
 *
 * <p><b>Invariants</b>: nothing is sent unless it is switched on, and nothing into another environment than that of its
 * key; one request is under way at a time; an hour of history has the same events each time it is sent.
 */
@NullMarked
package io.flagtally.demo;

import org.jspecify.annotations.NullMarked;
