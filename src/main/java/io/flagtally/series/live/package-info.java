/**
 * Numbers as they happen.
 *
 * <p><b>Owns</b> the streams of server-sent events, their tickets, and the port {@link
 * io.flagtally.series.live.LiveReader}.
 *
 * <p><b>Does not own</b> the numbers: what is shown is what the stores say.
 *
 * <p><b>Invariants</b>: what is watched is read once a tick and written as JSON once, however many readers there are;
 * nothing is read when nobody watches; environments do not wait for each other; a reader has at most one message under
 * way and then gets the newest, and all messages under way have bounded bytes; while an instance watches a flag, its
 * counts do not fall within a local day.
 */
@NullMarked
package io.flagtally.series.live;

import org.jspecify.annotations.NullMarked;
