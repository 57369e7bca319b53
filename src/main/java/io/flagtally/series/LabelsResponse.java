package io.flagtally.series;

import io.flagtally.event.EnvironmentId;
import io.flagtally.series.Label.Kind;
import java.util.List;
import org.eclipse.microprofile.openapi.annotations.media.Schema;
import org.jspecify.annotations.Nullable;

/** A page of the names given. */
record LabelsResponse(
        String environmentId,

        @Schema(description = "By kind, flag and id") List<Entry> labels,

        @Schema(description = "Give it as pageToken to read on; empty on the last page")
        String nextPageToken) {

    @Schema(name = "LabelsResponseEntry")
    record Entry(
            Kind kind,

            @Schema(description = "The flag of a variation") @Nullable
            String featureId,

            String id,
            @Nullable String name) {

        static Entry of(Label label) {
            return new Entry(
                    label.kind(), label.kind() == Kind.VARIATION ? label.flag() : null, label.id(), label.name());
        }
    }

    /** @param read one more than fit on the page, if there are */
    static LabelsResponse of(EnvironmentId environment, List<Label> read, int limit) {
        List<Label> page = read.subList(0, Math.min(limit, read.size()));
        return new LabelsResponse(
                environment.value(),
                page.stream().map(Entry::of).toList(),
                read.size() > limit ? LabelPageToken.of(page.get(limit - 1)) : "");
    }
}
