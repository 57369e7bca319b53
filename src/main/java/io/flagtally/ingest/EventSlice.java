package io.flagtally.ingest;

import io.flagtally.event.UserId;

/** An accepted event: {@code length} bytes of {@code bytes} at {@code offset}, and whose it is. */
record EventSlice(byte[] bytes, int offset, int length, UserId user) {

    /** Bytes it takes in a message. */
    int lineBytes() {
        return length + 1;
    }
}
