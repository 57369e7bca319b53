package io.flagtally.series;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.ObjectMapper;
import io.flagtally.event.EnvironmentId;
import io.flagtally.platform.error.ErrorCode;
import io.flagtally.platform.error.RefusedException;
import io.flagtally.series.Label.Kind;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class LabelsRequestTest {

    private static final EnvironmentId HERE = new EnvironmentId("production");

    @Test
    void labels_everyKind_hasItsPlace() throws IOException {
        List<Label> labels = parse("""
                {"labels":[
                  {"kind":"ENVIRONMENT","name":"Production"},
                  {"kind":"FLAG","id":"dark-mode","name":"Dark mode"},
                  {"kind":"VARIATION","featureId":"dark-mode","id":"blue","name":"Blau"},
                  {"kind":"GOAL","id":"checkout","name":null}]}""");

        assertEquals(
                List.of(
                        new Label(HERE, Kind.ENVIRONMENT, "", "production", "Production"),
                        new Label(HERE, Kind.FLAG, "dark-mode", "dark-mode", "Dark mode"),
                        new Label(HERE, Kind.VARIATION, "dark-mode", "blue", "Blau"),
                        new Label(HERE, Kind.GOAL, "", "checkout", null)),
                labels);
    }

    @Test
    void labels_nameOf255Bytes_isTaken() throws IOException {
        String name = "ü".repeat(127) + "x";

        assertEquals(
                name,
                parse(one("\"kind\":\"FLAG\",\"id\":\"f\",\"name\":\"" + name + "\""))
                        .get(0)
                        .name());
    }

    @Test
    void labels_badInput_saysWhatWhereAndWhatToDo() {
        refused(ErrorCode.MALFORMED, "", "{\"labels\":[");
        refused(ErrorCode.MALFORMED, "", "");
        refused(ErrorCode.MALFORMED, "", "null");
        refused(ErrorCode.MALFORMED, "'labels' is missing", "{}");
        refused(ErrorCode.MALFORMED, "'labels' is missing or empty", "{\"labels\":[]}");
        refused(ErrorCode.MALFORMED, "nme", one("\"kind\":\"FLAG\",\"id\":\"f\",\"nme\":\"x\""));
        refused(ErrorCode.MALFORMED, "FALG", one("\"kind\":\"FALG\",\"id\":\"f\",\"name\":\"x\""));
        refused(ErrorCode.INVALID_ARGUMENT, "labels[0].kind is missing", one("\"id\":\"f\",\"name\":\"x\""));
        refused(ErrorCode.INVALID_ARGUMENT, "labels[0].kind is missing", "{\"labels\":[null]}");
        refused(ErrorCode.INVALID_ARGUMENT, "labels[0].id is missing", one("\"kind\":\"FLAG\",\"name\":\"x\""));
        refused(
                ErrorCode.INVALID_ARGUMENT,
                "labels[0].featureId is missing",
                one("\"kind\":\"VARIATION\",\"id\":\"v\",\"name\":\"x\""));
        refused(
                ErrorCode.INVALID_ARGUMENT,
                "labels[0].featureId is for VARIATION only",
                one("\"kind\":\"GOAL\",\"featureId\":\"f\",\"id\":\"g\",\"name\":\"x\""));
        refused(
                ErrorCode.INVALID_ARGUMENT,
                "labels[0].id is another environment",
                one("\"kind\":\"ENVIRONMENT\",\"id\":\"staging\",\"name\":\"x\""));
        refused(
                ErrorCode.INVALID_ARGUMENT,
                "labels[0].name is empty; null takes a name away",
                one("\"kind\":\"FLAG\",\"id\":\"f\",\"name\":\"\""));
        refused(
                ErrorCode.INVALID_ARGUMENT,
                "labels[0].name has more than 255 UTF-8 bytes",
                one("\"kind\":\"FLAG\",\"id\":\"f\",\"name\":\"" + "ü".repeat(128) + "\""));
        refused(
                ErrorCode.INVALID_ARGUMENT,
                "labels[0].name holds a control character",
                one("\"kind\":\"FLAG\",\"id\":\"f\",\"name\":\"a\\nb\""));
        refused(
                ErrorCode.INVALID_ARGUMENT,
                "labels[1] names what an entry before it names",
                "{\"labels\":[{\"kind\":\"FLAG\",\"id\":\"f\",\"name\":\"x\"},{\"kind\":\"FLAG\",\"id\":\"f\"}]}");
    }

    @Test
    void labels_oneTooMany_areRefused() throws IOException {
        assertEquals(
                LabelsRequest.LABELS_MAX, parse(flags(LabelsRequest.LABELS_MAX)).size());
        refused(ErrorCode.INVALID_ARGUMENT, "at most 1000 may be sent", flags(LabelsRequest.LABELS_MAX + 1));
    }

    @Test
    void read_bodyOverItsBound_isRefusedWithoutBeingKept() {
        refused(ErrorCode.TOO_LARGE, "more than", " ".repeat(LabelsRequest.BODY_BYTES_MAX + 1));
    }

    @Test
    void pageToken_ofALabel_namesItsPlace() {
        Label label = new Label(HERE, Kind.VARIATION, "dark mode/ü", "blue", null);

        assertEquals(label, LabelPageToken.parse(HERE, LabelPageToken.of(label)));
        assertThrows(RefusedException.class, () -> LabelPageToken.parse(HERE, "%%"));
        assertThrows(RefusedException.class, () -> LabelPageToken.parse(HERE, "AAAA"));
    }

    private static String flags(int count) {
        return IntStream.range(0, count)
                .mapToObj(i -> "{\"kind\":\"FLAG\",\"id\":\"f" + i + "\",\"name\":\"x\"}")
                .collect(Collectors.joining(",", "{\"labels\":[", "]}"));
    }

    private static String one(String entry) {
        return "{\"labels\":[{" + entry + "}]}";
    }

    private static List<Label> parse(String body) throws IOException {
        return LabelsRequest.read(new ByteArrayInputStream(body.getBytes(StandardCharsets.UTF_8)), new ObjectMapper())
                .labels(HERE);
    }

    private static void refused(ErrorCode code, String sentence, String body) {
        RefusedException refused = assertThrows(RefusedException.class, () -> parse(body));
        assertEquals(code, refused.code(), refused.detail());
        assertTrue(refused.detail().contains(sentence), refused.detail());
    }
}
