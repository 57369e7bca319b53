package io.flagtally.codec;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import io.flagtally.event.IdFault;
import java.io.IOException;
import org.jspecify.annotations.Nullable;

/**
 * An identifier as it was read: its text, or what is wrong with it. A text over the bound is never made a string.
 *
 * @param text empty if there is a fault
 */
record TextField(String text, @Nullable IdFault fault) {

    static final TextField MISSING = new TextField("", IdFault.EMPTY);
    private static final TextField TOO_LONG = new TextField("", IdFault.TOO_LONG);
    static final TextField INVALID = new TextField("", IdFault.INVALID);

    /** Reads the value at which {@code parser} stands, of whatever type, and stays on its last token. */
    static TextField read(JsonParser parser) throws IOException {
        JsonToken token = parser.currentToken();
        if (token == JsonToken.VALUE_NULL) {
            return MISSING;
        }
        if (token != JsonToken.VALUE_STRING) {
            parser.skipChildren();
            return INVALID;
        }
        return parser.getTextLength() > IdFault.ID_BYTES_MAX ? TOO_LONG : of(parser.getText());
    }

    private static TextField of(String text) {
        IdFault fault = IdFault.of(text);
        if (fault == null) {
            return new TextField(text, null);
        }
        return switch (fault) {
            case EMPTY -> MISSING;
            case TOO_LONG -> TOO_LONG;
            case INVALID -> INVALID;
        };
    }

    boolean isMissing() {
        return fault == IdFault.EMPTY;
    }
}
