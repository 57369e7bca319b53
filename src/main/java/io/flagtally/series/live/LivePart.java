package io.flagtally.series.live;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Base64;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * A piece of what a stream shows.
 *
 * <p>Implementation note. The id of a message is the digests of all pieces that its reader has after it, 48 bits each,
 * as eight characters of base64url. So whoever shows an id, to any instance, is sent exactly the pieces whose digests
 * are not in it; that a changed piece is taken for one that he has takes a chance of 1 in 2^48 for each piece.
 *
 * @param json its text, written once
 * @param digest of the text and of what it is about
 */
record LivePart(String json, long digest) {

    private static final int DIGEST_BYTES = 6;
    private static final int DIGEST_CHARS = 8;

    /** @param about what the text is about beyond what it says */
    static LivePart of(String about, String json) {
        byte[] hash = sha256().digest((about + '\n' + json).getBytes(StandardCharsets.UTF_8));
        return new LivePart(json, number(hash, 0));
    }

    /** Returns what a reader that has {@code parts} may come back with. */
    static String id(List<LivePart> parts) {
        byte[] bytes = new byte[DIGEST_BYTES * parts.size()];
        int at = 0;
        for (LivePart part : parts) {
            for (int i = DIGEST_BYTES - 1; i >= 0; i--) {
                bytes[at++] = (byte) (part.digest >>> (8 * i));
            }
        }
        return Base64.getUrlEncoder().withoutPadding().encodeToString(bytes);
    }

    /** Returns the digests that {@code id} names; none if it is no such id, or names more than {@code max}. */
    static Set<Long> digests(String id, int max) {
        if (id.length() % DIGEST_CHARS != 0 || id.length() > max * DIGEST_CHARS) {
            return Set.of();
        }
        byte[] bytes;
        try {
            bytes = Base64.getUrlDecoder().decode(id);
        } catch (IllegalArgumentException e) {
            return Set.of();
        }
        Set<Long> digests = new HashSet<>();
        for (int at = 0; at + DIGEST_BYTES <= bytes.length; at += DIGEST_BYTES) {
            digests.add(number(bytes, at));
        }
        return digests;
    }

    static Set<Long> digests(Collection<LivePart> parts) {
        Set<Long> digests = new HashSet<>();
        parts.forEach(part -> digests.add(part.digest));
        return digests;
    }

    private static long number(byte[] bytes, int at) {
        long number = 0;
        for (int i = 0; i < DIGEST_BYTES; i++) {
            number = number << 8 | bytes[at + i] & 0xFF;
        }
        return number;
    }

    private static MessageDigest sha256() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }
}
