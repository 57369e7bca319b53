package io.flagtally.ingest;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.flagtally.codec.MalformedEventException;
import io.flagtally.event.EnvironmentId;
import io.flagtally.event.EvaluationEvent;
import io.flagtally.event.EventId;
import io.flagtally.event.FlagId;
import io.flagtally.event.GoalEvent;
import io.flagtally.event.Reason;
import io.flagtally.event.SourceId;
import io.flagtally.event.UserId;
import io.flagtally.event.VariationId;
import io.flagtally.platform.error.ErrorCode;
import io.flagtally.platform.error.RefusedException;
import io.vertx.core.buffer.Buffer;
import java.time.Duration;
import java.time.Instant;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Cardinality, rates and times at the door, and the identity of a tracking pixel. */
class DoorBoundsTest {

    private static final Instant NOW = Instant.parse("2026-11-21T12:00:00.900Z");
    private static final EventTimes TIMES = EventTimes.at(NOW, Duration.ofHours(744), Duration.ofHours(1));

    private Instant now = NOW;

    @Test
    void admit_flagsBeyondTheBound_areRefusedAndKnownOnesAreNot() throws MalformedEventException {
        Cardinality cardinality = new Cardinality(2, 10, () -> now);
        cardinality.admit(evaluation("a", "f1", "v", Reason.RULE));
        cardinality.admit(evaluation("a", "f2", "v", Reason.RULE));

        assertBeyond(cardinality, evaluation("a", "f3", "v", Reason.RULE), "feature_id exceeds the 2 flags");
        cardinality.admit(evaluation("a", "f1", "w", Reason.RULE));
        cardinality.admit(evaluation("b", "f3", "v", Reason.RULE));
    }

    @Test
    void admit_flagNotSeenForLong_givesItsPlaceBack() throws MalformedEventException {
        Cardinality cardinality = new Cardinality(1, 10, () -> now);
        cardinality.admit(evaluation("a", "old", "v", Reason.RULE));

        now = NOW.plus(Duration.ofDays(31));
        assertBeyond(cardinality, evaluation("a", "new", "v", Reason.RULE), "feature_id exceeds the 1 flags");
        now = NOW.plus(Duration.ofDays(32));
        cardinality.admit(evaluation("a", "new", "v", Reason.RULE));
    }

    @Test
    void admit_variationsBeyondTheBound_areRefusedButForDefault() throws MalformedEventException {
        Cardinality cardinality = new Cardinality(10, 100, () -> now);
        for (int i = 0; i < 100; i++) {
            cardinality.admit(evaluation("a", "f", "v" + i, Reason.RULE));
        }

        assertBeyond(cardinality, evaluation("a", "f", "v100", Reason.RULE), "variation_id exceeds the 100 variations");
        cardinality.admit(evaluation("a", "f", "v100", Reason.CLIENT));
        cardinality.admit(evaluation("a", "f", "v99", Reason.RULE));
        cardinality.admit(evaluation("a", "g", "v100", Reason.RULE));
    }

    @Test
    void take_overTheRate_isRefusedUntilTimeHasPassed() {
        KeyRates rates = new KeyRates(OptionalLong.of(100), () -> now);
        rates.take("web", 60);
        rates.take("web", 140);

        RefusedException refused = assertThrows(RefusedException.class, () -> rates.take("web", 1));
        assertEquals(ErrorCode.RESOURCE_EXHAUSTED, refused.code());
        rates.take("other", 1);
        now = NOW.plusMillis(1000);
        assertThrows(RefusedException.class, () -> rates.take("web", 1));
        now = NOW.plusMillis(1010);
        rates.take("web", 1);
    }

    @Test
    void take_withoutARate_isNeverRefused() {
        KeyRates rates = new KeyRates(OptionalLong.empty(), () -> now);

        assertDoesNotThrow(() -> {
            rates.take("web", 1_000_000);
            rates.take("web", 1_000_000);
        });
    }

    @ParameterizedTest
    @CsvSource({
        "2026-10-21T12:00:00Z, true",
        "2026-10-21T11:59:59Z, false",
        "2026-11-21T13:00:00Z, true",
        "2026-11-21T13:00:01Z, false"
    })
    void contain_edges_areInclusive(Instant time, boolean taken) {
        assertEquals(taken, TIMES.contain(time));
    }

    @Test
    void event_samePixelTwice_isTheSameEvent() {
        EventId id = pixel("key", "u", "g", "t", "1795224492").id();

        assertEquals(id, pixel("key", "u", "g", "t", "1795224492").id());
        assertEquals(id, EventId.parse(id.toString()));
        assertNotEquals(id, pixel("key2", "u", "g", "t", "1795224492").id());
        assertNotEquals(id, pixel("key", "u2", "g", "t", "1795224492").id());
        assertNotEquals(id, pixel("key", "u", "g2", "t", "1795224492").id());
        assertNotEquals(id, pixel("key", "u", "g", "t2", "1795224492").id());
        assertNotEquals(id, pixel("key", "u", "g", "t", "1795224493").id());
        assertNotEquals(id, pixel("keyu", "", "g", "t", "1795224492", "u").id());
    }

    @Test
    void event_pixelWithoutTimestamp_isAnotherOneEachTimeAndNow() {
        GoalEvent first = pixel("key", "u", "g", "t", "");

        assertEquals(Instant.ofEpochSecond(NOW.getEpochSecond()), first.time());
        assertNotEquals(first.id(), pixel("key", "u", "g", "t", "").id());
        assertEquals(first.id(), EventId.parse(first.id().toString()));
    }

    private static GoalEvent pixel(String key, String user, String goal, String tag, String timestamp) {
        return new TrackedGoal(key, user, goal, tag, timestamp, "1.5").event(EnvironmentId.DEFAULT, TIMES, NOW);
    }

    /** A pixel whose parts run together as another's do. */
    private static GoalEvent pixel(String key, String none, String goal, String tag, String timestamp, String user) {
        return pixel(key + none, user, goal, tag, timestamp);
    }

    @Test
    void append_toABodyAnnouncedLarge_takesRoomForAPartOfIt() {
        InFlight inFlight = new InFlight(1, 10_000_000);
        Body body = new Body(inFlight, 5_000_000, 4_000_000);

        body.append(Buffer.buffer(new byte[100]));

        assertEquals(256 * 1024, inFlight.bytes());
        body.append(Buffer.buffer(new byte[1_000_000]));
        assertEquals(1_000_100, body.length());
        body.release();
        assertEquals(0, inFlight.bytes());
    }

    @Test
    void append_toABodyAnnouncedSmall_takesNoMoreThanThat() {
        InFlight inFlight = new InFlight(1, 10_000_000);
        Body body = new Body(inFlight, 5_000_000, 100);

        body.append(Buffer.buffer(new byte[60]));
        body.append(Buffer.buffer(new byte[40]));

        assertEquals(100, inFlight.bytes());
    }

    private static void assertBeyond(Cardinality cardinality, EvaluationEvent event, String message) {
        MalformedEventException refused = assertThrows(MalformedEventException.class, () -> cardinality.admit(event));
        assertEquals(ErrorCode.CARDINALITY, refused.code());
        assertEquals("gateway: " + message, refused.wireMessage().substring(0, message.length() + 9));
    }

    private static EvaluationEvent evaluation(String environment, String flag, String variation, Reason reason) {
        return new EvaluationEvent(
                new EventId(0x4000, 0x8000000000000000L),
                new EnvironmentId(environment),
                new FlagId(flag),
                1,
                new VariationId(variation),
                new UserId("u"),
                reason,
                NOW,
                SourceId.WEB);
    }
}
