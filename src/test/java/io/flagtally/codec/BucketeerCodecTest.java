package io.flagtally.codec;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.flagtally.event.EnvironmentId;
import io.flagtally.event.EvaluationEvent;
import io.flagtally.event.EventId;
import io.flagtally.event.FlagEvent;
import io.flagtally.event.FlagId;
import io.flagtally.event.GoalEvent;
import io.flagtally.event.GoalId;
import io.flagtally.event.Reason;
import io.flagtally.event.SourceId;
import io.flagtally.event.UserId;
import io.flagtally.event.VariationId;
import io.flagtally.platform.error.ErrorCode;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class BucketeerCodecTest {

    private static final String ID = "b9968a6c-baeb-4635-9b91-624d748364db";
    private static final EnvironmentId ENVIRONMENT = new EnvironmentId("production");
    private static final String TYPE = "\"@type\":\"type.googleapis.com/bucketeer.event.client.";
    private static final String EVALUATION = TYPE + "EvaluationEvent\"";
    private static final String GOAL = TYPE + "GoalEvent\"";

    private final BucketeerCodec codec = new BucketeerCodec();

    @Test
    void decode_evaluationOfTheJsSdk_givesEveryField() {
        FlagEvent event =
                onlyEvent("{\"id\":\"" + ID + "\",\"type\":3,\"event\":{\"timestamp\":1795224492,\"sourceId\":7,"
                        + "\"sdkVersion\":\"2.6.1\",\"metadata\":{\"app_version\":\"1.2.3\"},\"featureId\":\"feature-bool\","
                        + "\"featureVersion\":3,\"variationId\":\"var-true\",\"userId\":\"user-001\",\"user\":{\"id\":"
                        + "\"user-002\",\"data\":{\"id\":\"no\"}},\"reason\":{\"type\":\"RULE\",\"ruleId\":\"rule-1\"},"
                        + "\"tag\":\"web\"," + EVALUATION + "}}");

        assertEquals(evaluation("var-true", Reason.RULE, SourceId.JAVASCRIPT), event);
    }

    @Test
    void decode_numbersAsTextAndEnumsAsNumbers_givesTheSame() {
        FlagEvent event = onlyEvent(event(EVALUATION
                + ",\"timestamp\":\"1795224492\",\"featureId\":\"feature-bool\",\"featureVersion\":\"3\","
                + "\"variationId\":\"var-true\",\"user\":{\"id\":\"user-001\"},\"reason\":{\"type\":1},"
                + "\"sourceId\":\"OPEN_FEATURE_REACT_NATIVE\""));

        assertEquals(evaluation("var-true", Reason.RULE, SourceId.OPEN_FEATURE_REACT_NATIVE), event);
    }

    @Test
    void decode_zeroFieldsMissing_takesTheirZeroAndTheSourceOfTheMessage() {
        EvaluationEvent event = (EvaluationEvent)
                onlyEvent(
                        event(
                                EVALUATION
                                        + ",\"timestamp\":1795224492,\"featureId\":\"f\",\"variationId\":\"v\",\"userId\":\"u\",\"reason\":{}"));

        assertEquals(Reason.TARGET, event.reason());
        assertEquals(0, event.flagVersion());
        assertEquals(SourceId.GO_SERVER, event.source());
    }

    @ParameterizedTest
    @ValueSource(strings = {"4", "\"CLIENT\"", "20", "\"ERROR_CACHE_NOT_FOUND\"", "26", "\"ERROR_EXCEPTION\""})
    void decode_reasonOfAnError_isTheDefaultVariation(String reason) {
        EvaluationEvent without = (EvaluationEvent) onlyEvent(evaluationJson("", reason));
        EvaluationEvent with = (EvaluationEvent) onlyEvent(evaluationJson("var-true", reason));

        assertEquals(VariationId.DEFAULT, without.variation());
        assertEquals(VariationId.DEFAULT, with.variation());
    }

    @Test
    void decode_ageOfAnEvent_isNotJudged() {
        assertEquals(
                Instant.ofEpochSecond(1), onlyEvent(event(goalWith("1", "1"))).time());
        assertEquals(
                Instant.parse("9999-12-31T23:59:59Z"),
                onlyEvent(event(goalWith("253402300799", "1"))).time());
    }

    @Test
    void decode_severalLines_tellsEachWithItsPlace() {
        String good = event(goalWith("1795224492", "1"));
        byte[] payload = (good + "\n\n{\"id\":1}\n" + good + "\n{\"id\":\"" + ID + "\"}").getBytes(UTF_8);

        Collected seen = decode(payload);

        assertEquals(2, seen.events.size());
        assertEquals(
                List.of(ErrorCode.MALFORMED, ErrorCode.EVENT_TYPE_UNKNOWN),
                seen.faults.stream().map(MalformedEventException::code).toList());
        assertEquals(List.of(good, "{\"id\":1}", good, "{\"id\":\"" + ID + "\"}"), seen.lines);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"{", "{}{}", "[]", "1", "\"x\"", "{\"id\":\"\u0001\"}", "nonsense", "{\"event\":{\"value\":NaN}}"
            })
    void decode_noEvent_isMalformed(String line) {
        Collected seen = decode(line.getBytes(UTF_8));

        assertTrue(seen.events.isEmpty());
        assertEquals(1, seen.faults.size());
        ErrorCode code = seen.faults.get(0).code();
        assertEquals(ErrorCode.MALFORMED, code);
    }

    @Test
    void encode_thenDecode_givesTheSameGoal() {
        GoalEvent goal = new GoalEvent(
                id(),
                ENVIRONMENT,
                new GoalId("goal \"1\" é 😀"),
                -12.5,
                new UserId("user-001"),
                Instant.ofEpochSecond(1795224492),
                SourceId.WEB);

        assertEquals(goal, onlyEvent(new String(codec.encode(goal), UTF_8)));
    }

    @Test
    void encode_goal_isTheGoldenLine() {
        GoalEvent goal = new GoalEvent(
                id(),
                ENVIRONMENT,
                new GoalId("g"),
                2,
                new UserId("u"),
                Instant.ofEpochSecond(1795224492),
                SourceId.WEB);

        assertEquals(
                "{\"id\":\"" + ID + "\",\"event\":{" + GOAL
                        + ",\"timestamp\":1795224492,\"goalId\":\"g\",\"userId\":\"u\",\"value\":2.0,\"sourceId\":3}}",
                new String(codec.encode(goal), UTF_8));
    }

    @Test
    void add_eventWithLineBreaks_becomesOneLine() {
        byte[] body = "x{\n \"id\": \"a\\nb\"\r\n}y".getBytes(UTF_8);
        EventLines lines = new EventLines(0);

        lines.add(body, 1, body.length - 2);
        lines.add(body, 1, body.length - 2);

        assertEquals(2, lines.events());
        assertEquals("{  \"id\": \"a\\nb\"\r }\n".repeat(2), new String(lines.payload(), UTF_8));
    }

    @Test
    void payload_fullToTheLastByte_isNotChangedByWhatIsAddedLater() {
        byte[] event = "x".repeat(99).getBytes(UTF_8);
        EventLines lines = new EventLines(event.length + 1);
        lines.add(event, 0, event.length);

        byte[] payload = lines.payload();
        lines.add("y".repeat(99).getBytes(UTF_8), 0, event.length);

        assertEquals("x".repeat(99) + "\n", new String(payload, UTF_8));
        assertEquals("x".repeat(99) + "\n" + "y".repeat(99) + "\n", new String(lines.payload(), UTF_8));
    }

    private EvaluationEvent evaluation(String variation, Reason reason, SourceId source) {
        return new EvaluationEvent(
                id(),
                ENVIRONMENT,
                new FlagId("feature-bool"),
                3,
                new VariationId(variation),
                new UserId("user-001"),
                reason,
                Instant.ofEpochSecond(1795224492),
                source);
    }

    private static EventId id() {
        return new EventId(0xb9968a6cbaeb4635L, 0x9b91624d748364dbL);
    }

    private static String event(String fields) {
        return "{\"id\":\"" + ID + "\",\"event\":{" + fields + "}}";
    }

    private static String goalWith(String timestamp, String value) {
        return GOAL + ",\"goalId\":\"g\",\"userId\":\"u\",\"timestamp\":" + timestamp + ",\"value\":" + value;
    }

    private static String evaluationJson(String variation, String reason) {
        return event(
                "\"variationId\":\"" + variation + "\",\"featureId\":\"f\",\"userId\":\"u\",\"timestamp\":1795224492,"
                        + "\"reason\":{\"type\":" + reason + "}," + EVALUATION);
    }

    private FlagEvent onlyEvent(String line) {
        Collected seen = decode(line.getBytes(UTF_8));
        assertEquals(List.of(), seen.faults);
        assertEquals(1, seen.events.size());
        return seen.events.get(0);
    }

    private Collected decode(byte[] payload) {
        Collected seen = new Collected(payload);
        codec.decode(payload, ENVIRONMENT, SourceId.GO_SERVER, seen);
        return seen;
    }

    private static final class Collected implements EventCodec.Visitor {
        private final byte[] payload;
        private final List<FlagEvent> events = new ArrayList<>();
        private final List<MalformedEventException> faults = new ArrayList<>();
        private final List<String> lines = new ArrayList<>();

        Collected(byte[] payload) {
            this.payload = payload;
        }

        @Override
        public void event(FlagEvent event, int offset, int length) {
            events.add(event);
            lines.add(new String(payload, offset, length, UTF_8));
        }

        @Override
        public void malformed(MalformedEventException fault, int offset, int length) {
            faults.add(fault);
            lines.add(new String(payload, offset, length, UTF_8));
        }
    }
}
