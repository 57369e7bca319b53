package io.flagtally.benchmark;

import io.flagtally.event.EventId;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.Random;

/**
 * Evaluation events of 2 KB, like those that SDKs send with a well-filled user: 1,000 flags of 3 variations by Zipf's
 * law, and users drawn evenly.
 */
final class SampleEvents {

    static final int EVENT_BYTES = 2048;

    private final Random random;
    private final int users;
    private final double[] flagsByWeight;
    private final String padding;

    SampleEvents(long seed, int flags, int users) {
        random = new Random(seed);
        this.users = users;
        flagsByWeight = new double[flags];
        double sum = 0;
        for (int i = 0; i < flags; i++) {
            sum += 1.0 / (i + 1);
            flagsByWeight[i] = sum;
        }
        padding = attributes();
    }

    /** Attributes of a user as SDKs send them; the largest part of an event, and none of it is counted. */
    private static String attributes() {
        StringBuilder data = new StringBuilder();
        for (int i = 0; i < 28; i++) {
            data.append(i == 0 ? "" : ",")
                    .append("\"attribute_")
                    .append(i)
                    .append("\":\"some value of attribute ")
                    .append(i)
                    .append('"');
        }
        return data.toString();
    }

    /** Returns a payload of {@code events} lines, all of the second of {@code time}. */
    byte[] payload(int events, Instant time) {
        StringBuilder lines = new StringBuilder(events * EVENT_BYTES);
        for (int i = 0; i < events; i++) {
            lines.append(i == 0 ? "" : "\n");
            appendEvent(lines, time);
        }
        return lines.toString().getBytes(StandardCharsets.UTF_8);
    }

    private void appendEvent(StringBuilder line, Instant time) {
        int start = line.length();
        String user = "user-" + random.nextInt(users);
        line.append("{\"id\":\"")
                .append(id())
                .append("\",\"type\":3,\"event\":{\"timestamp\":")
                .append(time.getEpochSecond());
        line.append(
                ",\"sourceId\":7,\"sdkVersion\":\"2.6.1\",\"metadata\":{\"app_version\":\"1.2.3\",\"device_model\":\"Bucketeer JavaScript SDK(2.6.1)\"}");
        line.append(",\"featureId\":\"feature-")
                .append(flag())
                .append("\",\"featureVersion\":3,\"variationId\":\"variation-")
                .append(random.nextInt(3));
        line.append("\",\"userId\":\"")
                .append(user)
                .append("\",\"user\":{\"id\":\"")
                .append(user)
                .append("\",\"data\":{")
                .append(padding);
        line.append("}},\"reason\":{\"type\":\"RULE\",\"ruleId\":\"rule-1\"},\"tag\":\"web\"");
        String end = ",\"@type\":\"type.googleapis.com/bucketeer.event.client.EvaluationEvent\"}}";
        int missing = EVENT_BYTES - (line.length() - start) - end.length() - ",\"note\":\"\"".length();
        line.append(",\"note\":\"")
                .append("x".repeat(Math.max(0, missing)))
                .append('"')
                .append(end);
    }

    private EventId id() {
        return new EventId(random.nextLong() & ~0xF000L | 0x4000L, random.nextLong() & ~(0b11L << 62) | 0b10L << 62);
    }

    private int flag() {
        double at = random.nextDouble() * flagsByWeight[flagsByWeight.length - 1];
        int low = 0;
        int high = flagsByWeight.length - 1;
        while (low < high) {
            int middle = (low + high) >>> 1;
            if (flagsByWeight[middle] < at) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        return low;
    }
}
