package io.flagtally.series;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.ObjectReader;
import io.flagtally.event.EnvironmentId;
import io.flagtally.event.IdFault;
import io.flagtally.platform.error.ErrorCode;
import io.flagtally.platform.error.RefusedException;
import io.flagtally.series.Label.Kind;
import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.eclipse.microprofile.openapi.annotations.media.Schema;
import org.jspecify.annotations.Nullable;

/** Names to be given, as our own face words them. What stands here may be missing; {@link #labels} checks. */
@Schema(description = "Names to be given, changed or taken away")
record LabelsRequest(
        @Schema(description = "At most 1,000") @Nullable List<@Nullable Entry> labels) {

    /** Labels in one request. */
    static final int LABELS_MAX = 1000;

    /** A request of so many labels with ids and names of full length fits. */
    static final int BODY_BYTES_MAX = 4 * 1024 * 1024;

    @Schema(name = "LabelsRequestEntry")
    record Entry(
            @Nullable Kind kind,

            @Schema(description = "The flag of a variation; for other kinds missing") @Nullable
            String featureId,

            @Schema(description = "What gets the name; for ENVIRONMENT it may be missing") @Nullable
            String id,

            @Schema(description = "1 to 255 bytes of UTF-8; null takes the name away", nullable = true) @Nullable
            String name) {}

    private record Place(Kind kind, String flag, String id) {}

    /**
     * Reads a request. Blocks, so not to be called on an event loop.
     *
     * @throws RefusedException if it is too large or no such request
     */
    static LabelsRequest read(InputStream body, ObjectMapper json) throws IOException {
        byte[] bytes = body.readNBytes(BODY_BYTES_MAX + 1);
        if (bytes.length > BODY_BYTES_MAX) {
            throw new RefusedException(
                    ErrorCode.TOO_LARGE,
                    "The body has more than " + BODY_BYTES_MAX + " bytes; send the labels in parts.");
        }
        ObjectReader reader =
                json.readerFor(LabelsRequest.class).with(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES);
        try {
            LabelsRequest request = bytes.length == 0 ? null : reader.readValue(bytes);
            if (request != null) {
                return request;
            }
        } catch (JsonProcessingException e) {
            throw malformed(": " + e.getOriginalMessage().lines().findFirst().orElse(""));
        }
        throw malformed("");
    }

    /**
     * Returns what is to be named in {@code environment}.
     *
     * @throws RefusedException naming the first entry at fault, and why
     */
    List<Label> labels(EnvironmentId environment) {
        if (labels == null || labels.isEmpty()) {
            throw malformed("; 'labels' is missing or empty");
        }
        if (labels.size() > LABELS_MAX) {
            throw invalid("There are " + labels.size() + " labels, and at most " + LABELS_MAX
                    + " may be sent at once; send them in parts.");
        }
        List<Label> all = new ArrayList<>(labels.size());
        Set<Place> places = new HashSet<>();
        for (int i = 0; i < labels.size(); i++) {
            Label label = label("labels[" + i + "]", labels.get(i), environment);
            if (!places.add(new Place(label.kind(), label.flag(), label.id()))) {
                throw invalid("labels[" + i + "] names what an entry before it names already.");
            }
            all.add(label);
        }
        return all;
    }

    private static Label label(String at, @Nullable Entry entry, EnvironmentId environment) {
        if (entry == null || entry.kind == null) {
            throw invalid(at + ".kind is missing; it is ENVIRONMENT, FLAG, VARIATION or GOAL.");
        }
        String name = entry.name == null ? null : text(at + ".name", entry.name);
        String flag = entry.featureId == null ? "" : entry.featureId;
        if (entry.kind == Kind.VARIATION) {
            flag = text(at + ".featureId", flag);
        } else if (!flag.isEmpty()) {
            throw invalid(at + ".featureId is for VARIATION only; leave it out.");
        }
        if (entry.kind == Kind.ENVIRONMENT) {
            if (entry.id != null && !entry.id.isEmpty() && !entry.id.equals(environment.value())) {
                throw invalid(at + ".id is another environment than this request is for (" + environment.value()
                        + "); set the parameter 'environmentId', or leave the id out.");
            }
            return new Label(environment, entry.kind, "", environment.value(), name);
        }
        String id = text(at + ".id", entry.id == null ? "" : entry.id);
        return new Label(environment, entry.kind, entry.kind == Kind.FLAG ? id : flag, id, name);
    }

    private static String text(String at, String text) {
        IdFault fault = IdFault.of(text);
        if (fault == null) {
            return text;
        }
        throw invalid(at
                + switch (fault) {
                    case EMPTY -> at.endsWith(".name") ? " is empty; null takes a name away." : " is missing.";
                    case TOO_LONG -> " has more than " + IdFault.ID_BYTES_MAX + " UTF-8 bytes.";
                    case INVALID -> " holds a control character.";
                });
    }

    private static RefusedException invalid(String detail) {
        return new RefusedException(ErrorCode.INVALID_ARGUMENT, detail);
    }

    private static RefusedException malformed(String why) {
        return new RefusedException(
                ErrorCode.MALFORMED,
                "The body is not of the form {\"labels\":[{\"kind\":\"FLAG\",\"id\":\"dark-mode\",\"name\":\"Dark mode\"}]}"
                        + why + ".");
    }
}
