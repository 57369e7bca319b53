package io.flagtally.benchmark;

import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;

/** A request body whose ids and times are written anew each time, which costs next to nothing. */
final class LoadBody {

    private static final byte[] HEX = "0123456789abcdef".getBytes(StandardCharsets.US_ASCII);
    private static final String ID = "\",\"type\":3,";
    private static final int ID_CHARS = 36;
    private static final String TIMESTAMP = "\"timestamp\":";
    private static final int TIMESTAMP_DIGITS = 10;

    private final byte[] template;
    private final int[] ids;
    private final int[] timestamps;

    LoadBody(SampleEvents events, int size) {
        String lines = new String(events.payload(size, Instant.ofEpochSecond(1_700_000_000L)), StandardCharsets.UTF_8);
        String body = "{\"events\":[" + lines.replace('\n', ',') + "],\"sdkVersion\":\"2.6.1\",\"sourceId\":7}";
        template = body.getBytes(StandardCharsets.UTF_8);
        ids = placesOf(body, ID, -ID_CHARS);
        timestamps = placesOf(body, TIMESTAMP, TIMESTAMP.length());
    }

    /** Returns the body with new ids, all of its events happening at {@code epochSecond}. */
    byte[] next(SplittableRandom random, long epochSecond) {
        byte[] body = template.clone();
        for (int at : ids) {
            writeId(body, at, random.nextLong(), random.nextLong());
        }
        for (int at : timestamps) {
            long rest = epochSecond;
            for (int i = TIMESTAMP_DIGITS - 1; i >= 0; i--) {
                body[at + i] = (byte) ('0' + rest % 10);
                rest /= 10;
            }
        }
        return body;
    }

    private static void writeId(byte[] body, int at, long high, long low) {
        for (int i = 0, nibble = 0; i < ID_CHARS; i++) {
            if (i == 8 || i == 13 || i == 18 || i == 23) {
                continue;
            }
            long word = nibble < 16 ? high : low;
            int digit = (int) (word >>> (60 - 4 * (nibble % 16))) & 0xF;
            body[at + i] = i == 14 ? (byte) '4' : HEX[i == 19 ? 8 + (digit & 3) : digit];
            nibble++;
        }
    }

    private static int[] placesOf(String body, String what, int offset) {
        List<Integer> places = new ArrayList<>();
        for (int at = body.indexOf(what); at >= 0; at = body.indexOf(what, at + 1)) {
            places.add(at + offset);
        }
        return places.stream().mapToInt(Integer::intValue).toArray();
    }
}
