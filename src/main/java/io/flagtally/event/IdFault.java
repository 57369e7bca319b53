package io.flagtally.event;

import org.jspecify.annotations.Nullable;

/** Why a text cannot be an identifier. An identifier has 1 to 255 UTF-8 bytes and no control character. */
public enum IdFault {
    EMPTY,
    TOO_LONG,
    INVALID;

    /** Longest identifier, in UTF-8 bytes. */
    public static final int ID_BYTES_MAX = 255;

    /**
     * Returns the fault of {@code text}, or null if it is a valid identifier. Control characters (C0, DEL, C1) and
     * lone surrogates are {@link #INVALID}; the length is judged first.
     */
    public static @Nullable IdFault of(@Nullable String text) {
        if (text == null || text.isEmpty()) {
            return EMPTY;
        }
        // Every char takes at least one byte, so a text this long need not be read at all.
        if (text.length() > ID_BYTES_MAX) {
            return TOO_LONG;
        }
        int bytes = 0;
        boolean invalid = false;
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (c < 0x80) {
                bytes++;
                invalid |= c < 0x20 || c == 0x7F;
            } else if (c < 0x800) {
                bytes += 2;
                invalid |= c < 0xA0;
            } else if (!Character.isSurrogate(c)) {
                bytes += 3;
            } else if (Character.isHighSurrogate(c)
                    && i + 1 < text.length()
                    && Character.isLowSurrogate(text.charAt(i + 1))) {
                bytes += 4;
                i++;
            } else {
                bytes += 3;
                invalid = true;
            }
        }
        if (bytes > ID_BYTES_MAX) {
            return TOO_LONG;
        }
        return invalid ? INVALID : null;
    }

    static String checked(String kind, @Nullable String text) {
        IdFault fault = of(text);
        if (fault != null || text == null) {
            throw new IllegalArgumentException(kind + " id is " + fault);
        }
        return text;
    }
}
