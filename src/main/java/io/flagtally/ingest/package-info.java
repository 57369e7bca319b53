/**
 * HTTP → channel.
 *
 * <p><b>Owns</b> the doors that SDKs speak, their answers, and the bounds at the door.
 *
 * <p><b>Does not own</b> authentication ({@code platform.security}) and the format of events ({@code codec}).
 *
 * <p><b>Invariants</b>: 200 is answered when the accepted events are safe, never before; a request is taken whole or not at all.
 */
@NullMarked
@OfRole(ProcessRole.INGEST)
package io.flagtally.ingest;

import io.flagtally.platform.config.OfRole;
import io.flagtally.platform.config.ProcessRole;
import org.jspecify.annotations.NullMarked;
