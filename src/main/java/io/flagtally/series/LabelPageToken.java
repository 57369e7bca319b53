package io.flagtally.series;

import io.flagtally.event.EnvironmentId;
import io.flagtally.platform.error.ErrorCode;
import io.flagtally.platform.error.RefusedException;
import io.flagtally.series.Label.Kind;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import org.jspecify.annotations.Nullable;

/** The place of a label among the others, as a text for a URL. */
final class LabelPageToken {

    /** No id holds it. */
    private static final String BETWEEN = "\0";

    private LabelPageToken() {}

    static String of(Label label) {
        String place = String.join(BETWEEN, label.kind().name(), label.flag(), label.id());
        return Base64.getUrlEncoder().withoutPadding().encodeToString(place.getBytes(StandardCharsets.UTF_8));
    }

    /**
     * Returns the place that {@code token} names, or null if it is empty.
     *
     * @throws RefusedException if it is no such token
     */
    static @Nullable Label parse(EnvironmentId environment, String token) {
        if (token.isEmpty()) {
            return null;
        }
        try {
            String place = new String(Base64.getUrlDecoder().decode(token), StandardCharsets.UTF_8);
            String[] parts = place.split(BETWEEN, -1);
            if (parts.length == 3) {
                return new Label(environment, Kind.valueOf(parts[0]), parts[1], parts[2], null);
            }
        } catch (IllegalArgumentException e) {
            // Answered below.
        }
        throw new RefusedException(
                ErrorCode.INVALID_ARGUMENT, "The parameter 'pageToken' is no nextPageToken of a page of labels.");
    }
}
