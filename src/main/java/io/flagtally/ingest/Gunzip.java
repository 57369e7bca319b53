package io.flagtally.ingest;

import io.flagtally.platform.error.ErrorCode;
import io.flagtally.platform.error.RefusedException;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.util.Arrays;
import java.util.zip.GZIPInputStream;

/** Unpacks gzip, up to a bound: what would unpack to more is refused before it is held. */
final class Gunzip {

    private static final int START_BYTES = 8 * 1024;

    private Gunzip() {}

    /**
     * Unpacks {@code body}; the room for what is unpacked is taken from {@code body} too.
     *
     * @throws RefusedException if it is no gzip, or holds more than {@code bytesMax} bytes
     */
    static void unpack(Body body, int bytesMax) {
        byte[] packed = body.bytes();
        byte[] out = new byte[Math.min(START_BYTES, bytesMax + 1)];
        int length = 0;
        try (GZIPInputStream in = new GZIPInputStream(new ByteArrayInputStream(packed, 0, body.length()))) {
            while (true) {
                int read = in.read(out, length, out.length - length);
                if (read < 0) {
                    break;
                }
                length += read;
                if (length > bytesMax) {
                    throw Body.tooLarge(bytesMax);
                }
                if (length == out.length) {
                    out = Arrays.copyOf(out, (int) Math.min(out.length * 2L, bytesMax + 1L));
                    body.take(out.length);
                }
            }
        } catch (IOException e) {
            throw new RefusedException(ErrorCode.MALFORMED, "gateway: malformed gzip body");
        }
        body.replace(out, length);
    }
}
