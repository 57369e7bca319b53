package io.flagtally.broker.aws;

import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.HashMap;
import java.util.Map;

/**
 * Bytes as the text that SNS and SQS take. Text stays text; what is not UTF-8, or has characters that AWS refuses
 * (anything but tab, line ends, U+0020 to U+D7FF, U+E000 to U+FFFD and beyond U+FFFF), becomes base64 and a header says so.
 */
record AwsText(String body, Map<String, String> headers) {

    private static final String ENCODING = "flagtally-encoding";
    private static final String BASE64 = "base64";

    static AwsText of(byte[] payload, Map<String, String> headers) {
        Map<String, String> written = new HashMap<>();
        headers.forEach((name, value) -> written.put(name, allowed(value)));
        try {
            String text = StandardCharsets.UTF_8
                    .newDecoder()
                    .decode(ByteBuffer.wrap(payload))
                    .toString();
            if (text.codePoints().allMatch(AwsText::isAllowed)) {
                return new AwsText(text, written);
            }
        } catch (CharacterCodingException notText) {
            // The bytes travel as base64.
        }
        written.put(ENCODING, BASE64);
        return new AwsText(Base64.getEncoder().encodeToString(payload), written);
    }

    /** The bytes; a body that is not what its header says is taken as text, so that it goes aside as it came. */
    byte[] payload() {
        if (BASE64.equals(headers.get(ENCODING))) {
            try {
                return Base64.getDecoder().decode(body);
            } catch (IllegalArgumentException notBase64) {
                // Somebody else's message.
            }
        }
        return body.getBytes(StandardCharsets.UTF_8);
    }

    private static String allowed(String value) {
        StringBuilder allowed = new StringBuilder(value.length());
        value.codePoints().map(c -> isAllowed(c) ? c : '?').forEach(allowed::appendCodePoint);
        return allowed.toString();
    }

    private static boolean isAllowed(int c) {
        return c == '\t'
                || c == '\n'
                || c == '\r'
                || (c >= 0x20 && c <= 0xD7FF)
                || (c >= 0xE000 && c != 0xFFFE && c != 0xFFFF);
    }
}
