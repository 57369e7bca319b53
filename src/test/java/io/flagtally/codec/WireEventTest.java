package io.flagtally.codec;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import io.flagtally.event.EnvironmentId;
import io.flagtally.event.EvaluationEvent;
import io.flagtally.event.GoalEvent;
import io.flagtally.event.SourceId;
import io.flagtally.platform.error.ErrorCode;
import java.io.IOException;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The faults of one event, in the order and with the messages of the wire contract. */
class WireEventTest {

    private static final String ID = "\"id\":\"b9968a6c-baeb-4635-9b91-624d748364db\"";
    private static final String TYPE = "\"@type\":\"type.googleapis.com/bucketeer.event.client.";
    private static final String LONG_ID = "x".repeat(256);

    static Stream<Arguments> faults() {
        return Stream.of(
                // 1. The type comes before the id.
                event("\"id\":\"no\"", TYPE + "OtherEvent\"", ErrorCode.EVENT_TYPE_UNKNOWN, "Invalid message type"),
                event(
                        "\"id\":\"no\"",
                        TYPE + "EvaluationEvents\"",
                        ErrorCode.EVENT_TYPE_UNKNOWN,
                        "Invalid message type"),
                event(ID, "\"@type\":\"EvaluationEvent\"", ErrorCode.EVENT_TYPE_UNKNOWN, "Invalid message type"),
                event(ID, "\"@type\":7", ErrorCode.EVENT_TYPE_UNKNOWN, "Invalid message type"),
                event(ID, "", ErrorCode.EVENT_TYPE_UNKNOWN, "Invalid message type"),
                // 2. The id comes before the fields.
                event("\"id\":\"no\"", evaluation(""), ErrorCode.EVENT_ID_INVALID, "gateway: invalid event id format"),
                event(
                        "\"id\":\"b9968a6c-baeb-1635-9b91-624d748364db\"",
                        goal(""),
                        ErrorCode.EVENT_ID_INVALID,
                        "gateway: invalid event id format"),
                event(
                        "\"id\":\"b9968a6c-baeb-4635-1b91-624d748364db\"",
                        goal(""),
                        ErrorCode.EVENT_ID_INVALID,
                        "gateway: invalid event id format"),
                // 3. The fields, each one before the next, and all before the time.
                empty(evaluation(""), "feature_id is empty"),
                empty(evaluation("'featureId':null"), "feature_id is empty"),
                tooLong(evaluation("'featureId':'" + LONG_ID + "'"), "feature_id is too long"),
                tooLong(evaluation("'featureId':'" + "é".repeat(128) + "'"), "feature_id is too long"),
                invalid(evaluation("'featureId':{'a':[1]}"), "feature_id is invalid"),
                invalid(evaluation("'featureId':5"), "feature_id is invalid"),
                invalid(evaluation("'featureId':'a\\u0000b'"), "feature_id is invalid"),
                invalid(evaluation("'featureId':'\\ud800'"), "feature_id is invalid"),
                invalid(evaluation("'featureId':'\\udc00\\ud800'"), "feature_id is invalid"),
                invalid(evaluation("'featureId':'\\u0085'"), "feature_id is invalid"),
                empty(evaluation("'featureId':'f'"), "variation_id is empty"),
                empty(evaluation("'featureId':'f','reason':{'type':'NEW'}"), "variation_id is empty"),
                tooLong(
                        evaluation("'featureId':'f','reason':{'type':4},'variationId':'" + LONG_ID + "'"),
                        "variation_id is too long"),
                invalid(evaluation("'featureId':'f','variationId':true"), "variation_id is invalid"),
                empty(evaluation("'featureId':'f','variationId':'v'"), "user_id is empty"),
                empty(evaluation("'featureId':'f','variationId':'v','userId':'','user':null"), "user_id is empty"),
                empty(evaluation("'featureId':'f','reason':{'type':4}"), "user_id is empty"),
                tooLong(
                        evaluation("'featureId':'f','variationId':'v','user':{'id':'" + LONG_ID + "'}"),
                        "user_id is too long"),
                invalid(evaluation("'featureId':'f','variationId':'v','user':[]"), "user_id is invalid"),
                invalid(
                        evaluation("'featureId':'f','variationId':'v','userId':'\\u007f','user':{'id':'u'}"),
                        "user_id is invalid"),
                empty(evaluation("'featureId':'f','variationId':'v','userId':'u'"), "reason is nil"),
                empty(evaluation("'featureId':'f','variationId':'v','userId':'u','reason':null"), "reason is nil"),
                invalid(evaluation(complete("'NEW'")), "reason is invalid"),
                invalid(evaluation(complete("2")), "reason is invalid"),
                invalid(evaluation(complete("27")), "reason is invalid"),
                invalid(evaluation(complete("1.5")), "reason is invalid"),
                invalid(evaluation(complete("{}")), "reason is invalid"),
                invalid(
                        evaluation("'featureId':'f','variationId':'v','userId':'u','reason':'RULE'"),
                        "reason is invalid"),
                invalid(evaluation(complete("0") + ",'featureVersion':-1"), "feature_version is invalid"),
                invalid(evaluation(complete("0") + ",'featureVersion':'x'"), "feature_version is invalid"),
                invalid(evaluation(complete("0") + ",'featureVersion':2147483648"), "feature_version is invalid"),
                empty(goal(""), "goal_id is empty"),
                tooLong(goal("'goalId':'" + LONG_ID + "'"), "goal_id is too long"),
                invalid(goal("'goalId':[]"), "goal_id is invalid"),
                empty(goal("'goalId':'g'"), "user_id is empty"),
                invalid(goal("'goalId':'g','userId':'u','value':1e999"), "value is invalid"),
                invalid(goal("'goalId':'g','userId':'u','value':'NaN'"), "value is invalid"),
                invalid(goal("'goalId':'g','userId':'u','value':'-Infinity'"), "value is invalid"),
                invalid(goal("'goalId':'g','userId':'u','value':{}"), "value is invalid"),
                invalid(goal("'goalId':'g','userId':'u','value':" + "9".repeat(5000)), "value is invalid"),
                // 4. The time.
                time(""),
                time(",'timestamp':null"),
                time(",'timestamp':0"),
                time(",'timestamp':-1"),
                time(",'timestamp':'abc'"),
                time(",'timestamp':''"),
                time(",'timestamp':1.5"),
                time(",'timestamp':true"),
                time(",'timestamp':253402300800"),
                time(",'timestamp':9223372036854775808"),
                time(",'timestamp':1e999"),
                time(",'timestamp':" + "9".repeat(100_000)));
    }

    @ParameterizedTest
    @MethodSource("faults")
    void flagEvent_firstFault_isTold(String json, ErrorCode code, String message) throws IOException {
        WireEvent event = read(json);

        MalformedEventException fault = assertThrows(
                MalformedEventException.class, () -> event.flagEvent(EnvironmentId.DEFAULT, SourceId.UNKNOWN));

        assertEquals(message, fault.wireMessage());
        assertEquals(code, fault.code());
        assertEquals(event.id(), fault.eventId());
    }

    @Test
    void flagEvent_longestIds_areTaken() throws Exception {
        String id = "é".repeat(127) + "x";
        WireEvent event =
                read("{" + ID + ",\"event\":{" + goal("'goalId':'" + id + "','userId':'u','timestamp':1") + "}}");

        assertEquals(
                id,
                ((GoalEvent) event.flagEvent(EnvironmentId.DEFAULT, SourceId.UNKNOWN))
                        .goal()
                        .value());
    }

    @ParameterizedTest
    @ValueSource(strings = {"1795224492.0", "1.795224492e9", "'1795224492'", "17952244920e-1"})
    void flagEvent_integerHoweverWritten_isTaken(String timestamp) throws Exception {
        WireEvent event =
                read("{" + ID + ",\"event\":{" + goal("'goalId':'g','userId':'u','timestamp':" + timestamp) + "}}");

        assertEquals(
                1795224492L,
                event.flagEvent(EnvironmentId.DEFAULT, SourceId.UNKNOWN).time().getEpochSecond());
    }

    @ParameterizedTest
    @ValueSource(strings = {"'NEWER_SDK'", "999", "{}", "null"})
    void flagEvent_sourceWeDoNotKnow_costsNoEvent(String source) throws Exception {
        WireEvent event = read(
                "{" + ID + ",\"event\":{" + evaluation(complete("0") + ",'timestamp':1,'sourceId':" + source) + "}}");

        EvaluationEvent read = (EvaluationEvent) event.flagEvent(EnvironmentId.DEFAULT, SourceId.UNKNOWN);

        assertEquals(SourceId.UNKNOWN, read.source());
    }

    @Test
    void metricsEvent_latency_isRead() throws Exception {
        WireEvent event =
                read(("{" + ID + ",'event':{'timestamp':1,'sourceId':3,'event':{'apiId':2,'labels':{'tag':'web'},"
                                + "'latencySecond':0.128911362,'@type':'type.googleapis.com/bucketeer.event.client."
                                + "LatencyMetricsEvent'},'@type':'type.googleapis.com/bucketeer.event.client.MetricsEvent'}}")
                        .replace('\'', '"'));

        MetricsEvent metrics = event.metricsEvent();

        assertEquals("LatencyMetricsEvent", metrics.type());
        assertEquals(ApiId.GET_EVALUATIONS, metrics.api());
        assertEquals(0.128911362, metrics.latencySeconds());
        assertEquals(SourceId.WEB, metrics.source());
    }

    @ParameterizedTest
    @ValueSource(strings = {"[]", "7", "null", "{\"id\":7}", "{\"id\":{}}", "{\"id\":\"x\",}", "{\"id\":\"x\""})
    void read_noEvent_fails(String json) {
        assertThrows(JsonProcessingException.class, () -> read(json));
    }

    @Test
    void read_nestingAtTheBound_isTakenAndBeyondIsRefused() throws IOException {
        int inner = EventReader.NESTING_MAX - 1;
        assertEquals(
                "",
                read("{\"x\":" + "[".repeat(inner) + "]".repeat(inner) + "}").id());
        assertThrows(
                JsonProcessingException.class,
                () -> read("{\"x\":" + "[".repeat(inner + 1) + "]".repeat(inner + 1) + "}"));
    }

    private static WireEvent read(String json) throws IOException {
        try (JsonParser parser = EventReader.JSON.createParser(json.getBytes(UTF_8))) {
            parser.nextToken();
            return EventReader.read(parser);
        }
    }

    private static Arguments event(String id, String fields, ErrorCode code, String message) {
        return Arguments.of("{" + id + ",\"event\":{" + fields + "}}", code, message);
    }

    private static Arguments empty(String fields, String message) {
        return event(ID, fields, ErrorCode.EVENT_FIELD_EMPTY, "gateway: " + message);
    }

    private static Arguments tooLong(String fields, String message) {
        return event(ID, fields, ErrorCode.EVENT_FIELD_TOO_LONG, "gateway: " + message);
    }

    private static Arguments invalid(String fields, String message) {
        return event(ID, fields, ErrorCode.EVENT_FIELD_INVALID, "gateway: " + message);
    }

    private static Arguments time(String timestamp) {
        String fields = goal("'goalId':'g','userId':'u'" + timestamp);
        return event(ID, fields, ErrorCode.EVENT_TIME_INVALID, "gateway: invalid event timestamp");
    }

    private static String complete(String reason) {
        return "'featureId':'f','variationId':'v','userId':'u','reason':{'type':" + reason + "}";
    }

    private static String evaluation(String fields) {
        return with(fields, "EvaluationEvent");
    }

    private static String goal(String fields) {
        return with(fields, "GoalEvent");
    }

    private static String with(String fields, String type) {
        return fields.replace('\'', '"') + (fields.isEmpty() ? "" : ",") + TYPE + type + "\"";
    }
}
