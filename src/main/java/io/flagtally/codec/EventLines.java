package io.flagtally.codec;

import java.util.Arrays;

/**
 * Gathers events into the payload of a message: one event a line, its bytes as they came. A line break between the
 * tokens of an event becomes a space, which means the same in JSON. For one thread.
 */
public final class EventLines {

    private byte[] bytes;
    private int length;
    private int events;

    /** @param sizeHint how many bytes are expected */
    public EventLines(int sizeHint) {
        bytes = new byte[Math.max(sizeHint, 64)];
    }

    /** Adds the event that stands in {@code size} bytes of {@code source} at {@code offset}. */
    public void add(byte[] source, int offset, int size) {
        int needed = length + size + 1;
        if (needed > bytes.length) {
            bytes = Arrays.copyOf(bytes, Math.max(needed, bytes.length * 2));
        }
        for (int i = 0; i < size; i++) {
            byte b = source[offset + i];
            bytes[length++] = b == '\n' ? (byte) ' ' : b;
        }
        bytes[length++] = '\n';
        events++;
    }

    /** How many events were added. */
    public int events() {
        return events;
    }

    /** Returns the payload so far; what is added later does not change it. */
    public byte[] payload() {
        // A full array is never written again: the next event brings a larger one.
        return length == bytes.length ? bytes : Arrays.copyOf(bytes, length);
    }
}
