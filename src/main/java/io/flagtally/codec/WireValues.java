package io.flagtally.codec;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import io.flagtally.event.Reason;
import io.flagtally.event.SourceId;
import java.io.IOException;
import java.util.HashMap;
import java.util.Map;
import java.util.function.ToIntFunction;
import org.jspecify.annotations.Nullable;

/**
 * Values in the JSON dialect of protobuf: an int64 or a double as number or text, an enum by name or number, null for
 * zero. A value of another type is read over, and reported as null or NaN.
 */
final class WireValues {

    /** Longest number that is read, in characters; a longer one is invalid. */
    private static final int NUMBER_CHARS_MAX = 512;

    private static final double EXACT_INTEGER_MAX = 1L << 53;

    /** The values of an enum, by their name and their number on the wire. */
    record Names<E extends Enum<E>>(Map<String, E> byName, Map<Long, E> byNumber) {
        static <E extends Enum<E>> Names<E> of(E[] values, ToIntFunction<E> number) {
            Map<String, E> byName = new HashMap<>();
            Map<Long, E> byNumber = new HashMap<>();
            for (E value : values) {
                byName.put(value.name(), value);
                byNumber.put((long) number.applyAsInt(value), value);
            }
            return new Names<>(Map.copyOf(byName), Map.copyOf(byNumber));
        }
    }

    static final Names<Reason> REASONS = Names.of(Reason.values(), Reason::number);
    static final Names<SourceId> SOURCES = Names.of(SourceId.values(), SourceId::number);
    static final Names<ApiId> APIS = Names.of(ApiId.values(), ApiId::number);

    private WireValues() {}

    /** Reads a value of an enum; null if it is unknown or no enum at all. */
    static <E extends Enum<E>> @Nullable E readEnum(JsonParser parser, Names<E> names) throws IOException {
        if (parser.currentToken() == JsonToken.VALUE_STRING) {
            return parser.getTextLength() > NUMBER_CHARS_MAX
                    ? null
                    : names.byName().get(parser.getText());
        }
        Long number = readLong(parser);
        return number == null ? null : names.byNumber().get(number);
    }

    /** Reads an int64; null if it is none. {@code 5}, {@code "5"}, {@code 5.0} and {@code 5e0} are the same. */
    static @Nullable Long readLong(JsonParser parser) throws IOException {
        if (parser.currentToken() == JsonToken.VALUE_NULL) {
            return 0L;
        }
        if (!isNumberText(parser)) {
            parser.skipChildren();
            return null;
        }
        String text = parser.getText();
        if (isDigits(text)) {
            try {
                return Long.parseLong(text);
            } catch (NumberFormatException e) {
                return null;
            }
        }
        double value = toDouble(text);
        return value == Math.rint(value) && Math.abs(value) < EXACT_INTEGER_MAX ? (Long) (long) value : null;
    }

    /** Reads a double; NaN if it is none or is not finite. */
    static double readDouble(JsonParser parser) throws IOException {
        if (parser.currentToken() == JsonToken.VALUE_NULL) {
            return 0;
        }
        if (!isNumberText(parser)) {
            parser.skipChildren();
            return Double.NaN;
        }
        return toDouble(parser.getText());
    }

    /** True for a number, and for a text made of the characters of a number. */
    private static boolean isNumberText(JsonParser parser) throws IOException {
        JsonToken token = parser.currentToken();
        boolean number = token == JsonToken.VALUE_NUMBER_INT || token == JsonToken.VALUE_NUMBER_FLOAT;
        if (!number && token != JsonToken.VALUE_STRING) {
            return false;
        }
        int length = parser.getTextLength();
        if (length == 0 || length > NUMBER_CHARS_MAX) {
            return false;
        }
        return number || hasNumberCharsOnly(parser.getText());
    }

    private static boolean hasNumberCharsOnly(String text) {
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if ((c < '0' || c > '9') && "+-.eE".indexOf(c) < 0) {
                return false;
            }
        }
        return true;
    }

    private static boolean isDigits(String text) {
        for (int i = text.charAt(0) == '-' ? 1 : 0; i < text.length(); i++) {
            if (text.charAt(i) < '0' || text.charAt(i) > '9') {
                return false;
            }
        }
        return true;
    }

    private static double toDouble(String text) {
        try {
            double value = Double.parseDouble(text);
            return Double.isFinite(value) ? value : Double.NaN;
        } catch (NumberFormatException e) {
            return Double.NaN;
        }
    }
}
