package io.flagtally.ingest;

import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.json.JsonWriteFeature;
import io.flagtally.codec.EventReader;
import io.flagtally.codec.MalformedEventException;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The answer of {@code POST /register_events}: what was wrong, by event id. Nothing is ever {@code retriable}: an SDK
 * repeats such an event at once and without end.
 */
final class RegisterEventsResponse {

    private static final byte[] ALL_ACCEPTED = {'{', '"', 'e', 'r', 'r', 'o', 'r', 's', '"', ':', '{', '}', '}'};

    private RegisterEventsResponse() {}

    /** Returns the JSON; of two faults with one id the last one stands. */
    static byte[] of(List<MalformedEventException> faults) {
        if (faults.isEmpty()) {
            return ALL_ACCEPTED.clone();
        }
        Map<String, String> messages = new LinkedHashMap<>();
        faults.forEach(fault -> messages.put(fault.eventId(), fault.wireMessage()));
        ByteArrayOutputStream out = new ByteArrayOutputStream(128 * messages.size());
        try (JsonGenerator json = EventReader.JSON.createGenerator(out)) {
            // An id may hold what no UTF-8 can, such as half a surrogate pair; escaped, it goes back as it came.
            json.enable(JsonWriteFeature.ESCAPE_NON_ASCII.mappedFeature());
            json.writeStartObject();
            json.writeObjectFieldStart("errors");
            for (Map.Entry<String, String> each : messages.entrySet()) {
                json.writeObjectFieldStart(each.getKey());
                json.writeBooleanField("retriable", false);
                json.writeStringField("message", each.getValue());
                json.writeEndObject();
            }
            json.writeEndObject();
            json.writeEndObject();
        } catch (IOException e) {
            throw new UncheckedIOException("writing to memory failed", e);
        }
        return out.toByteArray();
    }
}
