/**
 * What happened: the events that SDKs send, and the names of the things in them.
 *
 * <p><b>Owns</b> {@link io.flagtally.event.FlagEvent} and its kinds, the identifiers, and the rule by which an
 * evaluation is counted under the variation {@code default}.
 *
 * <p><b>Does not own</b> any wire format ({@code codec}) nor any number made from events ({@code rollup}).
 *
 * <p><b>Invariants</b>: values are immutable and valid once constructed; the package imports the JDK only.
 */
@NullMarked
package io.flagtally.event;

import org.jspecify.annotations.NullMarked;
