package io.flagtally.replay;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.UUID;

/** Ids that look like UUID version 4 and follow from a file's name and a line, so that a second run repeats them. */
final class EventIds {

    private final String fileName;
    private final MessageDigest sha256;

    EventIds(String fileName) {
        this.fileName = fileName;
        try {
            this.sha256 = MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every JDK has SHA-256", e);
        }
    }

    UUID of(String kind, long line) {
        ByteBuffer digest =
                ByteBuffer.wrap(sha256.digest((fileName + '\n' + kind + '\n' + line).getBytes(StandardCharsets.UTF_8)));
        long high = digest.getLong() & ~0xF000L | 0x4000L;
        long low = digest.getLong() & ~0xC000000000000000L | 0x8000000000000000L;
        return new UUID(high, low);
    }
}
