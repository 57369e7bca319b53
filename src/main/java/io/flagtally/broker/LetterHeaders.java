package io.flagtally.broker;

import com.fasterxml.jackson.core.io.JsonStringEncoder;
import io.flagtally.pipeline.DeadLetter;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.Pattern;

/**
 * The headers of a dead letter: those of the message it came in, as they came, and what was wrong.
 *
 * <p>Headers of others travel under their own names where every broker takes them and there is room; the rest stands in
 * {@link WireHeaders#OTHER_HEADERS}. A letter must never be too much for a broker, or the message it came in would come
 * back for ever: what is beyond the bounds is left out, and said to be.
 */
final class LetterHeaders {

    /** Of a header of ours; none that can be read is longer. */
    private static final int OURS_BYTES_MAX = 256;

    /** Google Pub/Sub takes no longer value. */
    static final int VALUE_BYTES_MAX = 1024;

    /** Of all headers of others. */
    static final int BYTES_MAX = 4096;

    static final int COUNT_MAX = 32;

    /** Names that every broker takes and none gives a meaning to. */
    private static final Pattern PLAIN = Pattern.compile("[A-Za-z0-9][A-Za-z0-9_-]{0,99}");

    private static final Pattern RESERVED = Pattern.compile("(flagtally|amazon|aws|goog|x|jms|amqp).*|payload");

    private static final Set<String> AS_THEY_CAME = Set.of(
            WireHeaders.CONTENT_TYPE,
            WireHeaders.ENVIRONMENT,
            WireHeaders.SOURCE,
            WireHeaders.ACCEPTED_AT,
            WireHeaders.TRACE_PARENT);

    private final Map<String, String> text;
    private final Map<String, String> other = new LinkedHashMap<>();
    private int bytes;
    private int leftOut;

    private LetterHeaders(Map<String, String> text) {
        this.text = text;
    }

    /**
     * Adds what {@code letter} has of its own.
     *
     * @param text the headers of a message with one event
     * @param countMax how many headers the broker takes
     */
    static void write(DeadLetter letter, Map<String, String> text, int countMax) {
        LetterHeaders headers = new LetterHeaders(text);
        headers.keepOurs(letter.arrived());
        WireHeaders.write(letter, text);
        headers.addOthers(letter.arrived(), countMax);
    }

    /** What was wrong with a header of ours is seen in it, and not in what stands for it. */
    private void keepOurs(Map<String, String> arrived) {
        arrived.forEach((name, value) -> {
            if (AS_THEY_CAME.contains(name) && fits(value, OURS_BYTES_MAX)) {
                text.put(name, value);
            }
        });
    }

    private void addOthers(Map<String, String> arrived, int countMax) {
        Map<String, String> others = new TreeMap<>(arrived);
        others.keySet().removeIf(name -> text.containsKey(name) || AS_THEY_CAME.contains(name));
        others.remove(WireHeaders.EVENTS);
        if (others.isEmpty()) {
            return;
        }
        boolean crowded = text.size() + others.size() > countMax;
        String trace = crowded && text.size() >= countMax ? text.remove(WireHeaders.TRACE_PARENT) : null;
        if (trace != null) {
            other.put(WireHeaders.TRACE_PARENT, trace);
        }
        // One is left for those that do not go by themselves.
        others.forEach((name, value) -> add(name, value, text.size() < countMax - 1));
        writeOther();
    }

    private void add(String name, String value, boolean room) {
        int size = size(name) + size(value);
        if (bytes + size > BYTES_MAX || other.size() + text.size() >= COUNT_MAX) {
            leftOut++;
        } else if (room && isPlain(name) && fits(value, VALUE_BYTES_MAX)) {
            bytes += size;
            text.put(name, value);
        } else {
            bytes += size;
            other.put(name, value);
        }
    }

    /** Fewer and fewer, until their text fits into one header. */
    private void writeOther() {
        if (other.isEmpty() && leftOut == 0) {
            return;
        }
        String json = json();
        while (size(json) > VALUE_BYTES_MAX) {
            String last = "";
            for (String name : other.keySet()) {
                last = name;
            }
            other.remove(last);
            leftOut++;
            json = json();
        }
        text.put(WireHeaders.OTHER_HEADERS, json);
    }

    private String json() {
        StringBuilder json = new StringBuilder("{");
        other.forEach((name, value) -> json.append(json.length() == 1 ? "" : ",")
                .append(quoted(name))
                .append(':')
                .append(quoted(value)));
        if (leftOut > 0) {
            json.append(json.length() == 1 ? "" : ",").append("\"left out\":").append(leftOut);
        }
        return json.append('}').toString();
    }

    private static String quoted(String value) {
        return '"' + new String(JsonStringEncoder.getInstance().quoteAsString(value)) + '"';
    }

    private static boolean isPlain(String name) {
        return PLAIN.matcher(name).matches()
                && !RESERVED.matcher(name.toLowerCase(Locale.ROOT)).matches();
    }

    private static boolean fits(String value, int bytesMax) {
        return !value.isEmpty() && size(value) <= bytesMax;
    }

    private static int size(String value) {
        return value.getBytes(StandardCharsets.UTF_8).length;
    }
}
