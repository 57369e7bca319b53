package io.flagtally.store.redis;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * How an id is written inside a key: as it is, with {@code : { } %} and control characters percent-encoded (each
 * UTF-8 byte as {@code %} and two upper-case hexadecimal digits). {@code 50%:off} becomes {@code 50%25%3Aoff}.
 */
final class KeyText {

    private KeyText() {}

    static String encode(String id) {
        StringBuilder text = new StringBuilder(id.length() + 8);
        for (int i = 0; i < id.length(); i++) {
            char c = id.charAt(i);
            if (plain(c)) {
                text.append(c);
            } else {
                for (byte b : String.valueOf(c).getBytes(StandardCharsets.UTF_8)) {
                    text.append('%').append(String.format(Locale.ROOT, "%02X", b));
                }
            }
        }
        return text.toString();
    }

    /** Returns the id that {@code text} encodes, or null if {@link #encode} never writes such a text. */
    static @Nullable String decode(String text) {
        if (text.indexOf('%') < 0) {
            return encode(text).equals(text) ? text : null;
        }
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        ByteArrayOutputStream id = new ByteArrayOutputStream(bytes.length);
        for (int i = 0; i < bytes.length; i++) {
            if (bytes[i] != '%') {
                id.write(bytes[i]);
            } else if (i + 2 < bytes.length) {
                id.write(Character.digit(bytes[i + 1], 16) << 4 | Character.digit(bytes[i + 2], 16));
                i += 2;
            } else {
                return null;
            }
        }
        String decoded = id.toString(StandardCharsets.UTF_8);
        return encode(decoded).equals(text) ? decoded : null;
    }

    private static boolean plain(char c) {
        return c >= 0x20 && (c < 0x7F || c >= 0xA0) && c != ':' && c != '{' && c != '}' && c != '%';
    }
}
