package io.flagtally.series;

import java.util.List;
import org.eclipse.microprofile.openapi.annotations.media.Schema;

/** A month as the wire contract words it: int64 as text. */
record MauCountResponse(
        @Schema(description = "Evaluations and goals of the month", examples = "9876")
        String eventCount,

        @Schema(description = "Active users of the month, a user of two SDKs once: exact", examples = "1234")
        String userCount) {

    static MauCountResponse of(List<PeriodActivity> month) {
        return month.stream()
                .filter(activity -> activity.source() == null)
                .findAny()
                .map(all -> new MauCountResponse(Long.toString(all.events()), String.valueOf(all.users())))
                .orElse(new MauCountResponse("0", "0"));
    }
}
