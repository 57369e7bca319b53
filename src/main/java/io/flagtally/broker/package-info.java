/**
 * What every broker has in common.
 *
 * <p><b>Owns</b> the port by which a connector shows and hides the headers of a message, the names of those headers, the
 * check of the chosen broker before the channels open, its state, what becomes of a message that is refused, and the
 * connector of a channel that is not used.
 *
 * <p><b>Does not own</b> connections and acknowledgement, which are each connector's.
 *
 * <p><b>Invariants</b>: nothing outside this package and those below it knows which broker carries a channel; a message
 * that cannot be understood never ends its channel; a message in process is passed on as it is.
 */
@NullMarked
package io.flagtally.broker;

import org.jspecify.annotations.NullMarked;
