package io.flagtally.replay;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.List;

/** Writes events as the body of {@code POST /register_events}, or one as a line of {@code POST /v1/import}. */
final class RequestBody {

    private static final String TYPE = "type.googleapis.com/bucketeer.event.client.";
    private static final JsonFactory JSON = new JsonFactory();

    private RequestBody() {}

    static byte[] of(List<ReplayEvent> events, String source) {
        ByteArrayOutputStream out = new ByteArrayOutputStream(events.size() * 320);
        try (JsonGenerator json = JSON.createGenerator(out)) {
            json.writeStartObject();
            json.writeArrayFieldStart("events");
            for (ReplayEvent event : events) {
                write(json, event, source);
            }
            json.writeEndArray();
            json.writeStringField("sourceId", source);
            json.writeStringField("sdkVersion", "replay");
            json.writeEndObject();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return out.toByteArray();
    }

    static byte[] line(ReplayEvent event, String source) {
        ByteArrayOutputStream out = new ByteArrayOutputStream(320);
        try (JsonGenerator json = JSON.createGenerator(out)) {
            write(json, event, source);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return out.toByteArray();
    }

    private static void write(JsonGenerator json, ReplayEvent event, String source) throws IOException {
        json.writeStartObject();
        json.writeStringField("id", event.id().toString());
        json.writeObjectFieldStart("event");
        json.writeStringField("@type", TYPE + (event.goal() ? "GoalEvent" : "EvaluationEvent"));
        json.writeNumberField("timestamp", event.time().getEpochSecond());
        json.writeStringField("userId", event.user());
        if (event.goal()) {
            json.writeStringField("goalId", event.subject());
            json.writeNumberField("value", event.value());
        } else {
            json.writeStringField("featureId", event.subject());
            json.writeNumberField("featureVersion", 1);
            json.writeStringField("variationId", event.variation());
            json.writeObjectFieldStart("reason");
            json.writeStringField("type", "DEFAULT");
            json.writeEndObject();
        }
        json.writeStringField("sourceId", source);
        json.writeEndObject();
        json.writeEndObject();
    }
}
