package io.flagtally.codec;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParseException;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.json.JsonReadFeature;
import io.flagtally.event.Reason;
import io.flagtally.event.SourceId;
import java.io.IOException;
import org.jspecify.annotations.Nullable;

/**
 * Reads one event of the wire, {@code {"id": …, "event": {"@type": …, …}}}, from a stream of JSON tokens. Fields come in
 * any order and unknown ones are read over; no tree is built, and nothing is kept but the fields that are counted.
 *
 * <p>A value of the wrong type is a fault of its event, told by {@link WireEvent}. Only what is no event at all fails
 * here, with a {@link com.fasterxml.jackson.core.JsonProcessingException}: no JSON, no object, an id that is no text.
 */
public final class EventReader {

    /** Deepest nesting of a text, in objects and lists. */
    public static final int NESTING_MAX = 64;

    /** Makes the parsers of the wire. A number may have any length, for it is read only where it is wanted. */
    public static final JsonFactory JSON = JsonFactory.builder()
            .disable(JsonFactory.Feature.INTERN_FIELD_NAMES)
            .disable(JsonFactory.Feature.FAIL_ON_SYMBOL_HASH_OVERFLOW)
            .disable(JsonReadFeature.ALLOW_NON_NUMERIC_NUMBERS)
            .streamReadConstraints(StreamReadConstraints.builder()
                    .maxNestingDepth(NESTING_MAX)
                    .maxNumberLength(Integer.MAX_VALUE)
                    .build())
            .build();

    private static final int TYPE_CHARS_MAX = 255;

    private EventReader() {}

    /**
     * Reads the object at whose first token {@code parser} stands; leaves it at the object's last token.
     *
     * @throws com.fasterxml.jackson.core.JsonProcessingException if there is no event
     */
    public static WireEvent read(JsonParser parser) throws IOException {
        if (parser.currentToken() != JsonToken.START_OBJECT) {
            throw new JsonParseException(parser, "an event is no object");
        }
        String id = "";
        EventFields fields = new EventFields();
        while (parser.nextToken() == JsonToken.FIELD_NAME) {
            String name = parser.currentName();
            parser.nextToken();
            switch (name) {
                case "id" -> id = readId(parser);
                case "event" -> fields = readFields(parser);
                default -> parser.skipChildren();
            }
        }
        return new WireEvent(id, fields);
    }

    /** Reads an SDK's id; an unknown one, as newer SDKs send, is {@link SourceId#UNKNOWN}, a missing one null. */
    public static @Nullable SourceId readSource(JsonParser parser) throws IOException {
        if (parser.currentToken() == JsonToken.VALUE_NULL) {
            return null;
        }
        SourceId source = WireValues.readEnum(parser, WireValues.SOURCES);
        return source == null ? SourceId.UNKNOWN : source;
    }

    private static String readId(JsonParser parser) throws IOException {
        if (parser.currentToken() == JsonToken.VALUE_NULL) {
            return "";
        }
        if (parser.currentToken() != JsonToken.VALUE_STRING) {
            throw new JsonParseException(parser, "the id of an event is no text");
        }
        return parser.getText();
    }

    private static EventFields readFields(JsonParser parser) throws IOException {
        EventFields fields = new EventFields();
        if (parser.currentToken() != JsonToken.START_OBJECT) {
            parser.skipChildren();
            return fields;
        }
        while (parser.nextToken() == JsonToken.FIELD_NAME) {
            String name = parser.currentName();
            parser.nextToken();
            readField(name, parser, fields);
        }
        return fields;
    }

    private static void readField(String name, JsonParser parser, EventFields fields) throws IOException {
        switch (name) {
            case "@type" -> fields.type = readType(parser);
            case "timestamp" -> fields.timestamp = WireValues.readLong(parser);
            case "featureId" -> fields.feature = TextField.read(parser);
            case "featureVersion" -> fields.featureVersion = WireValues.readLong(parser);
            case "variationId" -> fields.variation = TextField.read(parser);
            case "userId" -> fields.user = TextField.read(parser);
            case "user" -> fields.nestedUser = readUser(parser);
            case "goalId" -> fields.goal = TextField.read(parser);
            case "value" -> fields.value = WireValues.readDouble(parser);
            case "reason" -> readReason(parser, fields);
            case "sourceId" -> fields.source = readSource(parser);
            case "event" -> fields.metrics = readMetrics(parser);
            default -> parser.skipChildren();
        }
    }

    /** Returns the name of the message without its package, empty if it is none of ours. */
    private static String readType(JsonParser parser) throws IOException {
        if (parser.currentToken() != JsonToken.VALUE_STRING) {
            parser.skipChildren();
            return "";
        }
        if (parser.getTextLength() > TYPE_CHARS_MAX) {
            return "";
        }
        String url = parser.getText();
        String name = url.substring(url.lastIndexOf('/') + 1);
        return name.startsWith(WireEvent.PACKAGE) ? name.substring(WireEvent.PACKAGE.length()) : "";
    }

    private static TextField readUser(JsonParser parser) throws IOException {
        if (parser.currentToken() != JsonToken.START_OBJECT) {
            boolean missing = parser.currentToken() == JsonToken.VALUE_NULL;
            parser.skipChildren();
            return missing ? TextField.MISSING : TextField.INVALID;
        }
        TextField id = TextField.MISSING;
        while (parser.nextToken() == JsonToken.FIELD_NAME) {
            boolean isId = parser.currentName().equals("id");
            parser.nextToken();
            if (isId) {
                id = TextField.read(parser);
            } else {
                parser.skipChildren();
            }
        }
        return id;
    }

    private static void readReason(JsonParser parser, EventFields fields) throws IOException {
        JsonToken token = parser.currentToken();
        fields.reasonPresent = token != JsonToken.VALUE_NULL;
        fields.reason = token == JsonToken.START_OBJECT ? Reason.TARGET : null;
        if (token != JsonToken.START_OBJECT) {
            parser.skipChildren();
            return;
        }
        while (parser.nextToken() == JsonToken.FIELD_NAME) {
            boolean isType = parser.currentName().equals("type");
            parser.nextToken();
            if (isType) {
                fields.reason = WireValues.readEnum(parser, WireValues.REASONS);
            } else {
                parser.skipChildren();
            }
        }
    }

    private static EventFields.MetricsFields readMetrics(JsonParser parser) throws IOException {
        EventFields.MetricsFields metrics = new EventFields.MetricsFields();
        if (parser.currentToken() != JsonToken.START_OBJECT) {
            parser.skipChildren();
            return metrics;
        }
        while (parser.nextToken() == JsonToken.FIELD_NAME) {
            String name = parser.currentName();
            parser.nextToken();
            switch (name) {
                case "@type" -> metrics.type = readType(parser);
                case "apiId" -> metrics.api = WireValues.readEnum(parser, WireValues.APIS);
                case "latencySecond" -> metrics.latencySeconds = WireValues.readDouble(parser);
                case "sizeByte" -> metrics.sizeBytes = WireValues.readDouble(parser);
                default -> parser.skipChildren();
            }
        }
        return metrics;
    }
}
