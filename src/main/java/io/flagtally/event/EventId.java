package io.flagtally.event;

import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** The id that the SDK gave an event, a UUID of version 4, as its two halves. */
public record EventId(long high, long low) {

    private static final int TEXT_LENGTH = 36;

    /** Returns the id written in {@code text}, in either case, or null if that is no UUID of version 4. */
    public static @Nullable EventId parse(String text) {
        if (text.length() != TEXT_LENGTH) {
            return null;
        }
        long high = 0;
        long low = 0;
        int digits = 0;
        for (int i = 0; i < TEXT_LENGTH; i++) {
            char c = text.charAt(i);
            if (i == 8 || i == 13 || i == 18 || i == 23) {
                if (c != '-') {
                    return null;
                }
                continue;
            }
            int digit = c < 0x80 ? Character.digit(c, 16) : -1;
            if (digit < 0) {
                return null;
            }
            if (digits++ < 16) {
                high = high << 4 | digit;
            } else {
                low = low << 4 | digit;
            }
        }
        boolean version4 = (high >>> 12 & 0xF) == 4;
        boolean rfcVariant = low >>> 62 == 0b10;
        return version4 && rfcVariant ? new EventId(high, low) : null;
    }

    @Override
    public String toString() {
        return new UUID(high, low).toString();
    }
}
