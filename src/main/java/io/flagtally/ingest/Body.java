package io.flagtally.ingest;

import io.flagtally.platform.error.ErrorCode;
import io.flagtally.platform.error.RefusedException;
import io.vertx.core.buffer.Buffer;
import java.util.Arrays;

/**
 * The bytes of a request as they come in, within a bound of their own and within what all requests may hold together.
 * Whoever reads a body releases it. For one thread at a time.
 */
final class Body {

    private static final int START_BYTES = 8 * 1024;

    /** What a caller announces is believed up to here: room that nobody fills is kept from the others. */
    private static final int ANNOUNCED_BYTES_MAX = 256 * 1024;

    private final InFlight inFlight;
    private final int bytesMax;
    private final int startBytes;
    private byte[] bytes = {};
    private int length;
    private long taken;
    private boolean released;

    /** @param announcedBytes how long it will be by its caller's word, 0 if he did not say */
    Body(InFlight inFlight, int bytesMax, long announcedBytes) {
        this.inFlight = inFlight;
        this.bytesMax = bytesMax;
        this.startBytes = announcedBytes > 0 ? (int) Math.min(announcedBytes, ANNOUNCED_BYTES_MAX) : START_BYTES;
    }

    /** @throws RefusedException if it, or all bodies together, would be too large */
    void append(Buffer chunk) {
        long needed = (long) length + chunk.length();
        if (needed > bytesMax) {
            throw tooLarge(bytesMax);
        }
        if (needed > bytes.length) {
            int size = (int) Math.min(bytesMax, Math.max(needed, Math.max(startBytes, bytes.length * 2L)));
            take(size - bytes.length);
            bytes = Arrays.copyOf(bytes, size);
        }
        chunk.getBytes(bytes, length);
        length = (int) needed;
    }

    /**
     * Takes room for {@code count} more bytes, until the body is released.
     *
     * @throws RefusedException if there is none
     */
    void take(int count) {
        if (released || !inFlight.takeBytes(count)) {
            throw new RefusedException(
                    ErrorCode.RESOURCE_EXHAUSTED, "gateway: too many requests in flight; try again later");
        }
        taken += count;
    }

    /** Puts {@code count} bytes of {@code other} in the place of the body. */
    void replace(byte[] other, int count) {
        bytes = other;
        length = count;
    }

    /** The array that holds the body in its first {@link #length()} bytes. */
    byte[] bytes() {
        return bytes;
    }

    int length() {
        return length;
    }

    /** Gives the room back. May be called again. */
    void release() {
        released = true;
        inFlight.releaseBytes(taken);
        taken = 0;
        bytes = new byte[0];
        length = 0;
    }

    static RefusedException tooLarge(int bytesMax) {
        return new RefusedException(
                ErrorCode.TOO_LARGE, "gateway: a request body may have at most " + bytesMax + " bytes");
    }
}
