package io.flagtally.pipeline;

import io.flagtally.event.EnvironmentId;
import io.flagtally.platform.error.ErrorCode;
import java.time.Instant;

/**
 * An event that was put aside.
 *
 * @param environment where it belongs
 * @param eventId the id it came with, empty if none could be read
 * @param code why it was put aside
 * @param detail one sentence: what was wrong, where, and what to do
 * @param contentType the format of {@code payload}
 * @param payload the event as it came
 * @param at when it was put aside
 */
public record DeadLetter(
        EnvironmentId environment,
        String eventId,
        ErrorCode code,
        String detail,
        String contentType,
        byte[] payload,
        Instant at) {}
