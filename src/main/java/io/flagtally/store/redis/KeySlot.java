package io.flagtally.store.redis;

import java.nio.charset.StandardCharsets;

/**
 * Which of the 16,384 slots of a Redis Cluster a hash tag falls into.
 *
 * <p>Implementation note. CRC-16/XMODEM (polynomial 0x1021) modulo 16,384, as the Redis Cluster specification has it; its
 * check value: {@code 123456789} gives 0x31C3.
 */
final class KeySlot {

    private static final int POLYNOMIAL = 0x1021;
    private static final int SLOTS = 16_384;

    private KeySlot() {}

    static int of(String tag) {
        return crc(tag) % SLOTS;
    }

    static int crc(String text) {
        int crc = 0;
        for (byte b : text.getBytes(StandardCharsets.UTF_8)) {
            crc ^= (b & 0xFF) << 8;
            for (int bit = 0; bit < 8; bit++) {
                crc = (crc & 0x8000) != 0 ? crc << 1 ^ POLYNOMIAL : crc << 1;
            }
            crc &= 0xFFFF;
        }
        return crc;
    }
}
