package io.flagtally.rollup;

import io.flagtally.event.EventId;

/**
 * What makes an event the same event within its counter: its id and its second. The rest of its identity
 * (environment, kind, flag, variation) is the counter's.
 */
public record EventIdentity(EventId id, long epochSecond) {}
