package io.flagtally.ingest;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.flagtally.codec.BucketeerCodec;
import io.flagtally.codec.EventCodec;
import io.flagtally.codec.EventLines;
import io.flagtally.codec.MalformedEventException;
import io.flagtally.event.EnvironmentId;
import io.flagtally.event.FlagEvent;
import io.flagtally.event.SourceId;
import io.flagtally.platform.error.RefusedException;
import io.vertx.core.buffer.Buffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.UUID;
import org.junit.jupiter.api.Test;

/** What the door accepts, the consumer reads as the very same events, whatever bytes came in. */
class RegisterEventsRequestTest {

    private static final int BODIES = 30_000;
    private static final int BODY_BYTES_MAX = 64 * 1024;
    private static final Instant NOW = Instant.parse("2026-11-21T12:00:00Z");
    private static final EventTimes TIMES = EventTimes.at(NOW, Duration.ofHours(744), Duration.ofHours(1));
    private static final String[] TOKENS = {
        "{",
        "}",
        "[",
        "]",
        ",",
        ":",
        "\"",
        "null",
        "true",
        "1e999",
        "-0",
        "\\u0000",
        "\\ud800",
        "\n",
        "\r\n",
        "é",
        "😀",
        "{\"a\":[1,{}]}",
        "\"id\":",
        "\"@type\":",
        "\"userId\":5,",
        "0",
        "\u0000",
        " "
    };

    private final InFlight inFlight = new InFlight(1, 10L * BODY_BYTES_MAX);

    @Test
    void read_bodiesTurnedUpsideDown_areRefusedOrReadAlikeByTheConsumer() {
        long seed = System.nanoTime();
        Random random = new Random(seed);
        int taken = 0;
        for (int i = 0; i < BODIES; i++) {
            byte[] body = mutated(random);
            try {
                taken += acceptedAlike(body);
            } catch (RefusedException expected) {
                assertTrue(expected.detail().startsWith("gateway: "), expected.detail());
            } catch (RuntimeException | AssertionError e) {
                throw new AssertionError("seed " + seed + ", body " + new String(body, StandardCharsets.ISO_8859_1), e);
            }
            assertEquals(0, inFlight.bytes());
        }
        assertTrue(taken > BODIES / 10, "seed " + seed + ": only " + taken + " events were taken");
    }

    private int acceptedAlike(byte[] bytes) {
        Body body = new Body(inFlight, BODY_BYTES_MAX, 0);
        try {
            body.append(Buffer.buffer(bytes));
            RegisterEventsRequest request = RegisterEventsRequest.read(body, EnvironmentId.DEFAULT, TIMES, 100);
            EventLines lines = new EventLines(0);
            request.accepted().forEach(each -> lines.add(body.bytes(), each.offset(), each.length()));
            List<FlagEvent> accepted = request.accepted().stream()
                    .map(RegisterEventsRequest.Accepted::event)
                    .toList();
            assertEquals(accepted, decoded(lines.payload()));
            return accepted.size();
        } finally {
            body.release();
        }
    }

    private static List<FlagEvent> decoded(byte[] payload) {
        List<FlagEvent> events = new ArrayList<>();
        new BucketeerCodec().decode(payload, EnvironmentId.DEFAULT, SourceId.UNKNOWN, new EventCodec.Visitor() {
            @Override
            public void event(FlagEvent event, int offset, int length) {
                events.add(event);
            }

            @Override
            public void malformed(MalformedEventException fault, int offset, int length) {
                throw new AssertionError(fault.wireMessage());
            }
        });
        return events;
    }

    private static byte[] mutated(Random random) {
        String good = DoorClient.events(
                DoorClient.evaluation(id(random), "flag-é", "v", "u1", NOW.getEpochSecond()),
                "\n" + DoorClient.evaluation(id(random), "f\\n", "😀", "u2", NOW.getEpochSecond() - 60));
        byte[] body = good.getBytes(StandardCharsets.UTF_8);
        for (int changes = random.nextInt(4); changes > 0; changes--) {
            body = changed(body, random);
        }
        return body;
    }

    private static byte[] changed(byte[] body, Random random) {
        int at = random.nextInt(body.length + 1);
        int to = Math.min(body.length, at + random.nextInt(20));
        byte[] inserted = switch (random.nextInt(4)) {
            case 0 -> TOKENS[random.nextInt(TOKENS.length)].getBytes(StandardCharsets.UTF_8);
            case 1 -> new byte[] {(byte) random.nextInt(256)};
            case 2 -> Arrays.copyOfRange(body, at, to);
            default -> new byte[0];
        };
        int rest = random.nextBoolean() ? at : to;
        return Buffer.buffer(Arrays.copyOf(body, at))
                .appendBytes(inserted)
                .appendBytes(Arrays.copyOfRange(body, rest, body.length))
                .appendString(body.length == 0 ? "{}" : "")
                .getBytes();
    }

    private static String id(Random random) {
        byte[] seed = new byte[16];
        random.nextBytes(seed);
        seed[6] = (byte) (seed[6] & 0x0F | 0x40);
        seed[8] = (byte) (seed[8] & 0x3F | 0x80);
        java.nio.ByteBuffer bytes = java.nio.ByteBuffer.wrap(seed);
        return new UUID(bytes.getLong(), bytes.getLong()).toString();
    }
}
