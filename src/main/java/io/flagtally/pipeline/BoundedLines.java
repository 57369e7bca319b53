package io.flagtally.pipeline;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import org.jspecify.annotations.Nullable;

/** Reads lines of bytes from a stream of any length, in memory bounded by the longest line allowed. For one thread. */
final class BoundedLines {

    private static final int CHUNK_BYTES = 64 * 1024;

    private final InputStream stream;
    private final int lineBytesMax;
    private final byte[] chunk = new byte[CHUNK_BYTES];
    private int at;
    private int length;
    private boolean tooLong;

    BoundedLines(InputStream stream, int lineBytesMax) {
        this.stream = stream;
        this.lineBytesMax = lineBytesMax;
    }

    /** Returns the next line without its end, empty if it is {@link #tooLong}; null at the end of the stream. */
    byte @Nullable [] next() throws IOException {
        ByteArrayOutputStream line = new ByteArrayOutputStream(512);
        tooLong = false;
        boolean any = false;
        while (fill()) {
            any = true;
            int end = at;
            while (end < length && chunk[end] != '\n') {
                end++;
            }
            tooLong |= line.size() + end - at > lineBytesMax;
            if (tooLong) {
                line.reset();
            } else {
                line.write(chunk, at, end - at);
            }
            boolean complete = end < length;
            at = complete ? end + 1 : end;
            if (complete) {
                break;
            }
        }
        return any ? line.toByteArray() : null;
    }

    /** Whether the last line was longer than allowed. */
    boolean tooLong() {
        return tooLong;
    }

    private boolean fill() throws IOException {
        if (at < length) {
            return true;
        }
        at = 0;
        length = Math.max(0, stream.read(chunk));
        return length > 0;
    }
}
