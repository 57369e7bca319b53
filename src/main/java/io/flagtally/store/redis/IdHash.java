package io.flagtally.store.redis;

import io.flagtally.rollup.EventIdentity;
import java.util.HexFormat;

/**
 * Hashes event identities to 64 bits, so that sets of them stay sets of integers. Immutable.
 *
 * <p>The key is the installation's own: nobody outside can make events that hash alike, and the hashes name nobody.
 * Among the 1.9 million ids of the hottest hour of a billion-a-day installation, two hash alike with a probability of
 * about 1 in 10 million.
 *
 * <p>Implementation note. SipHash-2-4 (Aumasson and Bernstein, 2012) over whole 64-bit words. Its vector for the key
 * {@code 00…0f} and the message {@code 00…07} is {@code 0x93f5f5799a932462}.
 */
final class IdHash {

    private final String text;
    private final long key0;
    private final long key1;

    /** @param key 16 bytes, of which each half is read with its lowest byte first */
    IdHash(byte[] key) {
        if (key.length != 16) {
            throw new IllegalArgumentException("a SipHash key has 16 bytes, not " + key.length);
        }
        text = HexFormat.of().formatHex(key);
        key0 = littleEndian(key, 0);
        key1 = littleEndian(key, 8);
    }

    /** The key in hexadecimal, as the installation has it. */
    String text() {
        return text;
    }

    long of(EventIdentity identity) {
        return hash(identity.id().high(), identity.id().low(), identity.epochSecond());
    }

    /** Hashes bytes, apart from the same ones with another {@code seed}. */
    long of(long seed, byte[] bytes) {
        State state = new State(key0, key1);
        state.absorb(seed);
        int at = 0;
        for (; at + Long.BYTES <= bytes.length; at += Long.BYTES) {
            state.absorb(littleEndian(bytes, at));
        }
        long last = (long) bytes.length << 56;
        for (int shift = 0; at < bytes.length; at++, shift += Byte.SIZE) {
            last |= (bytes[at] & 0xFFL) << shift;
        }
        state.absorb(last);
        return state.finish();
    }

    long hash(long... words) {
        State state = new State(key0, key1);
        for (long word : words) {
            state.absorb(word);
        }
        state.absorb((long) (words.length * Long.BYTES) << 56);
        return state.finish();
    }

    private static long littleEndian(byte[] bytes, int from) {
        long word = 0;
        for (int i = 7; i >= 0; i--) {
            word = word << 8 | (bytes[from + i] & 0xFF);
        }
        return word;
    }

    private static final class State {
        private long v0;
        private long v1;
        private long v2;
        private long v3;

        State(long key0, long key1) {
            v0 = key0 ^ 0x736f6d6570736575L;
            v1 = key1 ^ 0x646f72616e646f6dL;
            v2 = key0 ^ 0x6c7967656e657261L;
            v3 = key1 ^ 0x7465646279746573L;
        }

        void absorb(long word) {
            v3 ^= word;
            round();
            round();
            v0 ^= word;
        }

        long finish() {
            v2 ^= 0xFF;
            round();
            round();
            round();
            round();
            return v0 ^ v1 ^ v2 ^ v3;
        }

        private void round() {
            v0 += v1;
            v1 = Long.rotateLeft(v1, 13) ^ v0;
            v0 = Long.rotateLeft(v0, 32);
            v2 += v3;
            v3 = Long.rotateLeft(v3, 16) ^ v2;
            v0 += v3;
            v3 = Long.rotateLeft(v3, 21) ^ v0;
            v2 += v1;
            v1 = Long.rotateLeft(v1, 17) ^ v2;
            v2 = Long.rotateLeft(v2, 32);
        }
    }
}
