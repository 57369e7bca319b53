package io.flagtally.ingest;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * Bodies that no SDK should send, each with the answer that the wire contract states: a status of the whole request, or
 * 200 with the message of the one bad event.
 */
final class MalformedBodies {

    private static final String ID = "b9968a6c-baeb-4635-9b91-624d748364db";
    private static final int LONG = 1024 * 1024;

    /**
     * One body.
     *
     * @param status the HTTP status
     * @param message the message of the status answer, or of the event's error
     */
    record Malformed(String name, byte[] body, int status, String message) {
        @Override
        public String toString() {
            return name;
        }
    }

    private final List<Malformed> all = new ArrayList<>();
    private final long now;

    private MalformedBodies(long nowSeconds) {
        this.now = nowSeconds;
    }

    static List<Malformed> at(long nowSeconds) {
        MalformedBodies bodies = new MalformedBodies(nowSeconds);
        bodies.noJson();
        bodies.noRequest();
        bodies.noEvent();
        bodies.wrongIds();
        bodies.wrongFields();
        bodies.wrongTimes();
        return bodies.all;
    }

    private void noJson() {
        String good = DoorClient.events(DoorClient.evaluation("f", "v", "u", now));
        whole("empty", "");
        whole("blank", "  \n ");
        whole("no JSON", "hello");
        whole("form", "events=1&events=2");
        whole("XML", "<events/>");
        whole("brace alone", "{");
        whole("bracket alone", "[");
        whole("NUL alone", "\0");
        whole("NUL after the end", good + "\0");
        whole("NUL in a text", good.replace("\"f\"", "\"f\0\""));
        whole("control character in a text", good.replace("\"f\"", "\"f\u0001\""));
        whole("line break in a text", good.replace("\"f\"", "\"f\n\""));
        whole("unknown escape", good.replace("\"f\"", "\"\\x\""));
        whole("escape cut short", good.replace("\"f\"", "\"\\u12\""));
        whole("two roots", good + good);
        whole("trailing brace", good + "}");
        whole("trailing comma", good.replace("]}", ",]}"));
        whole("comment", "/* x */" + good);
        whole("single quotes", good.replace('"', '\''));
        whole("names without quotes", good.replace("\"events\"", "events"));
        whole("NaN", good.replace("\"" + "f" + "\"", "NaN"));
        whole("leading zeros", good.replace(":" + now, ":00" + now));
        whole("hexadecimal", good.replace(":" + now, ":0x1"));
        for (int part = 1; part < 8; part++) {
            whole("truncated at " + part + "/8", good.substring(0, good.length() * part / 8));
        }
        raw("invalid UTF-8 in a text", bytes(good.replace("\"f\"", "\"\u00ff\""), StandardCharsets.ISO_8859_1));
        raw("cut UTF-8", bytes(good.replace("\"f\"", "\"\u00e9\""), StandardCharsets.ISO_8859_1));
        raw("overlong UTF-8", with(good, 0xC0, 0x80));
        raw("surrogate in UTF-8", with(good, 0xED, 0xA0, 0x80));
        raw("beyond Unicode", with(good, 0xF4, 0x90, 0x80, 0x80));
        raw("UTF-16", bytes(good, StandardCharsets.UTF_16));
        raw("UTF-16 without mark", bytes(good, StandardCharsets.UTF_16LE));
        raw("UTF-32", bytes(good, java.nio.charset.Charset.forName("UTF-32")));
        whole("nested 100 deep", nested("[", "]", 100));
        whole("nested 100,000 deep", nested("{\"a\":", "}", 100_000));
        whole("nested without end", "[".repeat(LONG));
        whole(
                "nested in an event",
                DoorClient.events("{\"id\":\"" + ID + "\",\"event\":" + nested("[", "]", 64) + "}"));
        whole("name without end", "{\"" + "a".repeat(LONG));
    }

    private void noRequest() {
        whole("null", "null");
        whole("number", "1");
        whole("text", "\"events\"");
        whole("list", "[]");
        whole("events as object", "{\"events\":{}}");
        whole("events as text", "{\"events\":\"x\"}");
        whole("events as number", "{\"events\":1}");
        whole("events twice", "{\"events\":[],\"events\":[]}");
        request("no events", "{}");
        request("events null", "{\"events\":null}");
        request("events empty", "{\"events\":[]}");
        String many = IntStream.range(0, 100_000).mapToObj(i -> "{}").collect(Collectors.joining(","));
        status(
                "100,000 events",
                "{\"events\":[{\"id\":\"1\"}," + many.replace("{}", "{\"id\":\"1\"}") + "]}",
                400,
                "gateway: a request may have at most 10000 events");
        status("100,000 events without id", "{\"events\":[" + many + "]}", 400, "gateway: missing event id");
    }

    private void noEvent() {
        whole("event as number", "{\"events\":[1]}");
        whole("event as null", "{\"events\":[null]}");
        whole("event as list", "{\"events\":[[]]}");
        whole("event as text", "{\"events\":[\"x\"]}");
        whole("id as number", "{\"events\":[{\"id\":7}]}");
        whole("id as object", "{\"events\":[{\"id\":{}}]}");
        whole("id as list", "{\"events\":[{\"id\":[]}]}");
        whole("id as truth", "{\"events\":[{\"id\":true}]}");
        for (String event : List.of("{}", "{\"id\":\"\"}", "{\"id\":null}")) {
            status("missing id " + event, "{\"events\":[" + event + "]}", 400, "gateway: missing event id");
        }
        event("no event", "{\"id\":\"" + ID + "\"}", "Invalid message type");
        event("event null", "{\"id\":\"" + ID + "\",\"event\":null}", "Invalid message type");
        event("event as inner text", "{\"id\":\"" + ID + "\",\"event\":\"x\"}", "Invalid message type");
        event("no type", "{\"id\":\"" + ID + "\",\"event\":{\"featureId\":\"f\"}}", "Invalid message type");
        event(
                "1 MB type",
                "{\"id\":\"" + ID + "\",\"event\":{\"@type\":\"" + "x".repeat(LONG) + "\"}}",
                "Invalid message type");
    }

    private void wrongIds() {
        String message = "gateway: invalid event id format";
        List<String> ids = List.of(
                "x",
                "b9968a6cbaeb46359b91624d748364db",
                "{" + ID + "}",
                ID + "0",
                ID.substring(1),
                "b9968a6c-baeb-1635-9b91-624d748364db",
                "b9968a6c-baeb-7635-9b91-624d748364db",
                "b9968a6c-baeb-4635-cb91-624d748364db",
                "g9968a6c-baeb-4635-9b91-624d748364db",
                "00000000-0000-0000-0000-000000000000",
                "\\u0000",
                "\\ud800",
                "\uff11" + ID.substring(1),
                "x".repeat(LONG));
        for (String id : ids) {
            String name = "id " + id.substring(0, Math.min(40, id.length()));
            event(name, DoorClient.evaluation(id, "f", "v", "u", now), message);
        }
    }

    private void wrongFields() {
        field("featureId as object", "\"f\"", "{\"a\":1}", "gateway: feature_id is invalid");
        field("featureId as huge number", "\"f\"", "9".repeat(LONG), "gateway: feature_id is invalid");
        field("featureId null", "\"f\"", "null", "gateway: feature_id is empty");
        field("featureId of 1 MB", "\"f\"", "\"" + "x".repeat(LONG) + "\"", "gateway: feature_id is too long");
        field("featureId with NUL", "\"f\"", "\"a\\u0000\"", "gateway: feature_id is invalid");
        field("featureId with half a pair", "\"f\"", "\"\\ud83d\"", "gateway: feature_id is invalid");
        field("variationId as list", "\"v\"", "[[[]]]", "gateway: variation_id is invalid");
        field("variationId empty", "\"v\"", "\"\"", "gateway: variation_id is empty");
        field("userId as truth", "\"u\"", "true", "gateway: user_id is invalid");
        field("userId empty", "\"u\"", "\"\"", "gateway: user_id is empty");
        field("userId of 256 bytes", "\"u\"", "\"" + "\u00e9".repeat(128) + "\"", "gateway: user_id is too long");
        field("reason null", "{\"type\":\"RULE\"}", "null", "gateway: reason is nil");
        field("reason as text", "{\"type\":\"RULE\"}", "\"RULE\"", "gateway: reason is invalid");
        field("reason unknown", "\"RULE\"", "\"WHIM\"", "gateway: reason is invalid");
        field("reason as huge number", "\"RULE\"", "1e400", "gateway: reason is invalid");
    }

    private void wrongTimes() {
        for (String time : List.of(
                "0",
                "-1",
                "null",
                "\"\"",
                "\"abc\"",
                "\"NaN\"",
                "1.5",
                "{}",
                "[]",
                "true",
                "1e999",
                "-1e999",
                "9223372036854775807",
                "9223372036854775808",
                "99999999999999999999999999",
                "\"1e3000000000\"")) {
            field("timestamp " + time, ":" + now, ":" + time, "gateway: invalid event timestamp");
        }
        field("timestamp of a million digits", ":" + now, ":" + "9".repeat(LONG), "gateway: invalid event timestamp");
        field("timestamp in milliseconds", ":" + now, ":" + now + "000", "gateway: invalid event timestamp");
        field("timestamp too old", ":" + now, ":" + (now - 744 * 3600 - 60), "gateway: invalid event timestamp");
        field("timestamp too far ahead", ":" + now, ":" + (now + 3600 + 60), "gateway: invalid event timestamp");
    }

    private void field(String name, String from, String to, String message) {
        event(name, DoorClient.evaluation(ID, "f", "v", "u", now).replace(from, to), message);
    }

    private void event(String name, String event, String message) {
        status(name, DoorClient.events(event), 200, message);
    }

    private void request(String name, String body) {
        status(name, body, 400, "gateway: missing events");
    }

    private void whole(String name, String body) {
        raw(name, bytes(body, StandardCharsets.UTF_8));
    }

    private void raw(String name, byte[] body) {
        all.add(new Malformed(name, body, 400, "gateway: malformed JSON"));
    }

    private void status(String name, String body, int status, String message) {
        all.add(new Malformed(name, bytes(body, StandardCharsets.UTF_8), status, message));
    }

    private static byte[] bytes(String text, java.nio.charset.Charset charset) {
        return text.getBytes(charset);
    }

    /** Puts raw bytes in the place of the flag's id. */
    private static byte[] with(String good, int... raw) {
        StringBuilder inserted = new StringBuilder();
        for (int value : raw) {
            inserted.append((char) value);
        }
        return good.replace("\"f\"", "\"" + inserted + "\"").getBytes(StandardCharsets.ISO_8859_1);
    }

    private static String nested(String open, String close, int depth) {
        return open.repeat(depth) + "1" + close.repeat(depth);
    }
}
