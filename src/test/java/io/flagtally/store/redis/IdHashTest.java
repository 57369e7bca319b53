package io.flagtally.store.redis;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.flagtally.event.EventId;
import io.flagtally.rollup.EventIdentity;
import java.util.HashSet;
import java.util.Set;
import org.junit.jupiter.api.Test;

class IdHashTest {

    private static final byte[] KEY = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};

    /** The vectors of the reference implementation whose messages are whole words. */
    @Test
    void hash_messagesOfTheReference_giveItsVectors() {
        IdHash hash = new IdHash(KEY);

        assertEquals(0x726fdb47dd0e0e31L, hash.hash());
        assertEquals(0x93f5f5799a932462L, hash.hash(0x0706050403020100L));
        assertEquals(0x3f2acc7f57c29bdbL, hash.hash(0x0706050403020100L, 0x0f0e0d0c0b0a0908L));
    }

    @Test
    void of_idOrSecondOrKeyDiffers_differs() {
        EventIdentity identity = new EventIdentity(new EventId(1, 2), 3);
        byte[] otherKey = KEY.clone();
        otherKey[15]++;
        Set<Long> hashes = new HashSet<>();

        hashes.add(new IdHash(KEY).of(identity));
        hashes.add(new IdHash(KEY).of(new EventIdentity(new EventId(2, 2), 3)));
        hashes.add(new IdHash(KEY).of(new EventIdentity(new EventId(1, 1), 3)));
        hashes.add(new IdHash(KEY).of(new EventIdentity(new EventId(1, 2), 4)));
        hashes.add(new IdHash(otherKey).of(identity));

        assertEquals(5, hashes.size());
        assertNotEquals(0, new IdHash(KEY).of(identity));
    }

    @Test
    void new_keyOfAnotherLength_isRefused() {
        assertThrows(IllegalArgumentException.class, () -> new IdHash(new byte[8]));
    }
}
