package io.flagtally.pipeline;

import io.flagtally.event.FlagEvent;
import io.flagtally.platform.error.ErrorCode;

/**
 * An event that a sink will never take as things stand.
 *
 * @param event the very object of the batch
 * @param detail one sentence: what is wrong, where, and what to do
 */
public record RejectedEvent(FlagEvent event, ErrorCode code, String detail) {}
