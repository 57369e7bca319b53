package io.flagtally.pipeline;

import io.flagtally.codec.EventHeaders;
import io.flagtally.platform.error.ErrorCode;
import java.time.Instant;
import java.util.Map;

/**
 * An event that was put aside.
 *
 * @param headers those of the message it came in, with one event
 * @param eventId the id it came with, empty if none could be read
 * @param code why it was put aside
 * @param detail one sentence: what was wrong, where, and what to do
 * @param payload the event as it came
 * @param at when it was put aside
 * @param arrived the headers of that message as they came, whoever wrote them; the table does not keep them
 */
public record DeadLetter(
        EventHeaders headers,
        String eventId,
        ErrorCode code,
        String detail,
        byte[] payload,
        Instant at,
        Map<String, String> arrived) {

    /** A letter of which only the headers of ours are known. */
    public DeadLetter(EventHeaders headers, String eventId, ErrorCode code, String detail, byte[] payload, Instant at) {
        this(headers, eventId, code, detail, payload, at, Map.of());
    }
}
