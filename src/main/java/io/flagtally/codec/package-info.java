/**
 * Bytes → event, and back.
 *
 * <p><b>Owns</b> {@link io.flagtally.codec.EventCodec} and its formats, the field rules of the wire, and the errors of one event.
 *
 * <p><b>Does not own</b> where bytes come from or go to.
 *
 * <p><b>Invariants</b>: a bad event never fails its neighbours; a codec keeps no state.
 */
@NullMarked
package io.flagtally.codec;

import org.jspecify.annotations.NullMarked;
