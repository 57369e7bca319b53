/** The packaged service's live streams, over real sockets: cuts, restarts, other instances, readers who do not read. */
@NullMarked
package io.flagtally.live;

import org.jspecify.annotations.NullMarked;
