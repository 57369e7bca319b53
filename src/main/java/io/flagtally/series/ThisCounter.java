package io.flagtally.series;

import io.flagtally.event.EnvironmentId;
import io.flagtally.event.FlagId;
import io.flagtally.rollup.BucketCalendar;
import io.flagtally.rollup.Granularity;
import io.flagtally.rollup.TimeBucket;
import io.smallrye.mutiny.Uni;
import java.time.Instant;
import java.time.LocalDate;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** This counter, past its HTTP faces. */
final class ThisCounter implements Counter {

    private static final int PAGE = 500;

    private final SeriesReads reads;
    private final BucketCalendar calendar;
    private final Instant now;

    ThisCounter(SeriesReads reads, BucketCalendar calendar, Instant now) {
        this.reads = reads;
        this.calendar = calendar;
        this.now = now;
    }

    @Override
    public Uni<Flags> flags(EnvironmentId environment, String after) {
        TimeBucket today = calendar.last(1, Granularity.DAY, now).get(0);
        return reads.flags(environment, new FlagQuery("", Set.of(), after, PAGE), today)
                .map(page -> {
                    List<String> ids = page.flags().stream()
                            .map(each -> each.flag().value())
                            .toList();
                    return new Flags(
                            calendar.zone().getId(),
                            ids,
                            page.matching(),
                            page.more() && !ids.isEmpty() ? ids.get(ids.size() - 1) : "");
                });
    }

    @Override
    public Uni<Days> days(EnvironmentId environment, String flag, LocalDate from, LocalDate to) {
        List<TimeBucket> buckets = new DateRange(Granularity.DAY, from, to).buckets(calendar, now);
        return reads.series(environment, new FlagId(flag), buckets).map(series -> {
            Map<String, List<Long>> events = new HashMap<>();
            series.variations().forEach(each -> events.put(each.variation().value(), each.events()));
            return new Days(series.buckets().stream().map(TimeBucket::start).toList(), events);
        });
    }
}
