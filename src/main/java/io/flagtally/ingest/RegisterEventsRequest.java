package io.flagtally.ingest;

import com.fasterxml.jackson.core.JsonParseException;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import io.flagtally.codec.EventReader;
import io.flagtally.codec.MalformedEventException;
import io.flagtally.codec.MetricsEvent;
import io.flagtally.codec.WireEvent;
import io.flagtally.event.EnvironmentId;
import io.flagtally.event.FlagEvent;
import io.flagtally.event.SourceId;
import io.flagtally.platform.error.ErrorCode;
import io.flagtally.platform.error.RefusedException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharsetDecoder;
import java.nio.charset.CoderResult;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/**
 * What stood in a body of {@code POST /register_events}: for each event a verdict, judged as it was read. A body is
 * readable as a whole or not at all; what is wrong with one event is the verdict on that event.
 */
final class RegisterEventsRequest {

    private static final int DECODED_CHARS = 4 * 1024;

    /** An event to be counted, and where in the body it stands. */
    record Accepted(FlagEvent event, int offset, int length) {}

    private final EnvironmentId environment;
    private final EventTimes times;
    private final int eventsMax;
    private final List<Accepted> accepted = new ArrayList<>();
    private final List<MetricsEvent> metrics = new ArrayList<>();
    private final List<MalformedEventException> refused = new ArrayList<>();
    private SourceId source = SourceId.UNKNOWN;
    private int events;
    private boolean eventsSeen;

    private RegisterEventsRequest(EnvironmentId environment, EventTimes times, int eventsMax) {
        this.environment = environment;
        this.times = times;
        this.eventsMax = eventsMax;
    }

    /** @throws RefusedException if the body as a whole cannot be taken */
    static RegisterEventsRequest read(Body body, EnvironmentId environment, EventTimes times, int eventsMax) {
        RegisterEventsRequest request = new RegisterEventsRequest(environment, times, eventsMax);
        requireUtf8(body);
        try (JsonParser parser = EventReader.JSON.createParser(body.bytes(), 0, body.length())) {
            request.readRoot(parser);
        } catch (JsonProcessingException e) {
            throw malformed();
        } catch (IOException e) {
            throw new UncheckedIOException("reading from memory failed", e);
        }
        if (request.events == 0) {
            throw new RefusedException(ErrorCode.INVALID_ARGUMENT, "gateway: missing events");
        }
        return request;
    }

    /** The events to be counted, in order. */
    List<Accepted> accepted() {
        return accepted;
    }

    /** The measurements, in order. */
    List<MetricsEvent> metrics() {
        return metrics;
    }

    /** The faults, in order. */
    List<MalformedEventException> refused() {
        return refused;
    }

    /** How many events there were, of whatever kind and verdict. */
    int events() {
        return events;
    }

    /** The SDK of events that name none. */
    SourceId source() {
        return source;
    }

    private void readRoot(JsonParser parser) throws IOException {
        if (parser.nextToken() != JsonToken.START_OBJECT) {
            throw malformed();
        }
        while (parser.nextToken() == JsonToken.FIELD_NAME) {
            String name = parser.currentName();
            parser.nextToken();
            switch (name) {
                case "events" -> readEvents(parser);
                case "sourceId" -> readSource(parser);
                default -> parser.skipChildren();
            }
        }
        if (parser.nextToken() != null) {
            throw malformed();
        }
    }

    private void readSource(JsonParser parser) throws IOException {
        SourceId read = EventReader.readSource(parser);
        source = read == null ? SourceId.UNKNOWN : read;
    }

    private void readEvents(JsonParser parser) throws IOException {
        if (eventsSeen) {
            throw malformed();
        }
        eventsSeen = true;
        if (parser.currentToken() == JsonToken.VALUE_NULL) {
            return;
        }
        if (parser.currentToken() != JsonToken.START_ARRAY) {
            throw malformed();
        }
        while (parser.nextToken() != JsonToken.END_ARRAY) {
            if (++events > eventsMax) {
                throw new RefusedException(
                        ErrorCode.INVALID_ARGUMENT, "gateway: a request may have at most " + eventsMax + " events");
            }
            readEvent(parser);
        }
    }

    private void readEvent(JsonParser parser) throws IOException {
        if (parser.currentToken() != JsonToken.START_OBJECT) {
            throw new JsonParseException(parser, "an event is no object");
        }
        int start = (int) parser.currentTokenLocation().getByteOffset();
        WireEvent event = EventReader.read(parser);
        int end = (int) parser.currentLocation().getByteOffset();
        if (event.id().isEmpty()) {
            throw new RefusedException(ErrorCode.INVALID_ARGUMENT, "gateway: missing event id");
        }
        try {
            judge(event, start, end - start);
        } catch (MalformedEventException e) {
            refused.add(e);
        }
    }

    private void judge(WireEvent event, int offset, int length) throws MalformedEventException {
        if (event.isMetrics()) {
            MetricsEvent measured = event.metricsEvent();
            times.require(event.id(), measured.time());
            metrics.add(measured);
        } else {
            FlagEvent read = event.flagEvent(environment, SourceId.UNKNOWN);
            times.require(event.id(), read.time());
            accepted.add(new Accepted(read, offset, length));
        }
    }

    /** The parser would guess at UTF-16 and UTF-32, and takes some sequences that are no UTF-8. */
    private static void requireUtf8(Body body) {
        byte[] bytes = body.bytes();
        boolean ascii = true;
        for (int i = 0; i < body.length(); i++) {
            if (bytes[i] == 0) {
                throw malformed();
            }
            ascii &= bytes[i] > 0;
        }
        if (!ascii && !isUtf8(ByteBuffer.wrap(bytes, 0, body.length()))) {
            throw malformed();
        }
    }

    private static boolean isUtf8(ByteBuffer in) {
        CharsetDecoder decoder = StandardCharsets.UTF_8.newDecoder();
        CharBuffer out = CharBuffer.allocate(DECODED_CHARS);
        CoderResult result;
        do {
            out.clear();
            result = decoder.decode(in, out, true);
        } while (result.isOverflow());
        return !result.isError();
    }

    private static RefusedException malformed() {
        return new RefusedException(ErrorCode.MALFORMED, "gateway: malformed JSON");
    }
}
