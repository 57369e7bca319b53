package io.flagtally.broker.azure;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.UUID;

/**
 * Lock tokens. Service Bus writes one into the delivery tag as .NET writes a GUID: the first three fields with the least
 * byte first, the rest as it stands. The token {@code 00112233-4455-6677-8899-aabbccddeeff} has the tag
 * {@code 33 22 11 00 55 44 77 66 88 99 aa bb cc dd ee ff}.
 */
final class LockTokens {

    private static final int BYTES = 16;

    private LockTokens() {}

    /** @throws IllegalArgumentException if this is no tag of Service Bus */
    static String text(byte[] tag) {
        if (tag.length != BYTES) {
            throw new IllegalArgumentException("a delivery tag of Service Bus has 16 bytes, not " + tag.length);
        }
        ByteBuffer least = ByteBuffer.wrap(tag).order(ByteOrder.LITTLE_ENDIAN);
        long high = ((long) least.getInt() << 32)
                | (Short.toUnsignedLong(least.getShort()) << 16)
                | Short.toUnsignedLong(least.getShort());
        long low = ByteBuffer.wrap(tag, BYTES / 2, BYTES / 2).getLong();
        return new UUID(high, low).toString();
    }
}
