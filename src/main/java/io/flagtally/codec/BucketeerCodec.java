package io.flagtally.codec;

import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonParseException;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import io.flagtally.event.EnvironmentId;
import io.flagtally.event.GoalEvent;
import io.flagtally.event.SourceId;
import io.flagtally.platform.error.ErrorCode;
import jakarta.inject.Singleton;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;

/**
 * The events of SDKs as they sent them, one JSON object a line ({@link EventLines}). Empty lines are nothing.
 *
 * <p>Reading judges what the door judges, but for the age of an event: one that waited in a broker is as good as new.
 */
@Singleton
public class BucketeerCodec implements EventCodec {

    public static final String CONTENT_TYPE = "application/x-ndjson; codec=bucketeer; v=1";

    @Override
    public String contentType() {
        return CONTENT_TYPE;
    }

    @Override
    public void decode(byte[] payload, EnvironmentId environment, SourceId source, Visitor visitor) {
        int start = 0;
        while (start < payload.length) {
            int end = start;
            while (end < payload.length && payload[end] != '\n') {
                end++;
            }
            if (!isBlank(payload, start, end)) {
                decodeLine(payload, start, end - start, environment, source, visitor);
            }
            start = end + 1;
        }
    }

    /** Returns the line of {@code event}, without its line break. */
    public byte[] encode(GoalEvent event) {
        ByteArrayOutputStream line = new ByteArrayOutputStream(256);
        try (JsonGenerator json = EventReader.JSON.createGenerator(line)) {
            json.writeStartObject();
            json.writeStringField("id", event.id().toString());
            json.writeObjectFieldStart("event");
            json.writeStringField("@type", WireEvent.TYPE_URL + WireEvent.GOAL);
            json.writeNumberField("timestamp", event.time().getEpochSecond());
            json.writeStringField("goalId", event.goal().value());
            json.writeStringField("userId", event.user().value());
            json.writeNumberField("value", event.value());
            json.writeNumberField("sourceId", event.source().number());
            json.writeEndObject();
            json.writeEndObject();
        } catch (IOException e) {
            throw new UncheckedIOException("writing to memory failed", e);
        }
        return line.toByteArray();
    }

    private static void decodeLine(
            byte[] payload, int offset, int length, EnvironmentId environment, SourceId source, Visitor visitor) {
        try {
            visitor.event(read(payload, offset, length).flagEvent(environment, source), offset, length);
        } catch (MalformedEventException e) {
            visitor.malformed(e, offset, length);
        } catch (JsonProcessingException e) {
            visitor.malformed(
                    new MalformedEventException("", ErrorCode.MALFORMED, "gateway: malformed event"), offset, length);
        } catch (IOException e) {
            throw new UncheckedIOException("reading from memory failed", e);
        }
    }

    private static WireEvent read(byte[] payload, int offset, int length) throws IOException {
        try (JsonParser parser = EventReader.JSON.createParser(payload, offset, length)) {
            parser.nextToken();
            WireEvent event = EventReader.read(parser);
            if (parser.nextToken() != null) {
                throw new JsonParseException(parser, "a line holds more than one event");
            }
            return event;
        }
    }

    private static boolean isBlank(byte[] payload, int from, int to) {
        for (int i = from; i < to; i++) {
            if (payload[i] != ' ' && payload[i] != '\r' && payload[i] != '\t') {
                return false;
            }
        }
        return true;
    }
}
