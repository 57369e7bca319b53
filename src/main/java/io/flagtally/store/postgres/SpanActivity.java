package io.flagtally.store.postgres;

import io.flagtally.event.EnvironmentId;
import io.flagtally.event.SourceId;
import io.flagtally.series.DateSpan;
import io.flagtally.series.PeriodActivity;
import io.vertx.mutiny.sqlclient.Row;
import java.time.YearMonth;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** Joins what was read of spans of days: users by span from the rows, events from the sums of days. */
final class SpanActivity {

    private final EnvironmentId environment;
    private final List<DateSpan> spans;
    private final @Nullable SourceId only;

    /** By SDK, or all of them: a number for each span. */
    private final Map<String, long[]> users = new TreeMap<>();

    private final Map<String, long[]> events = new TreeMap<>();

    /** @param only the SDK that was asked for, or null for each, and all of them */
    SpanActivity(EnvironmentId environment, List<DateSpan> spans, @Nullable SourceId only) {
        this.environment = environment;
        this.spans = spans;
        this.only = only;
    }

    /** Whether the events that were added are of one SDK, so that its users are all users. */
    boolean isOfOneSource() {
        return sources().count() <= 1;
    }

    private Stream<String> sources() {
        return events.keySet().stream().filter(source -> !source.equals(SummaryDeltas.ALL_SOURCES));
    }

    /** Adds a row of {@code pass}, after all events. */
    void addUsers(UserSpans pass, Row row) {
        String source = row.getString(0);
        addUsers(pass, row, source);
        if (source.equals(SummaryDeltas.ALL_SOURCES) && isOfOneSource()) {
            sources().forEach(single -> addUsers(pass, row, single));
        }
    }

    private void addUsers(UserSpans pass, Row row, String source) {
        long[] counts = of(users, source);
        int column = 1;
        for (int position : pass.positions()) {
            counts[position] = row.getLong(column++);
        }
    }

    /** Adds the events of a day to the spans that hold it. */
    void addEvents(PeriodActivity day) {
        if (only != null && only != day.source()) {
            return;
        }
        String source =
                day.source() == null ? SummaryDeltas.ALL_SOURCES : day.source().name();
        long[] sums = of(events, source);
        for (int i = 0; i < sums.length; i++) {
            DateSpan span = spans.get(i);
            if (!day.dates().from().isBefore(span.from()) && !day.dates().to().isAfter(span.to())) {
                sums[i] += day.events();
            }
        }
    }

    /** @param closedMonths those whose rows were dropped, or are about to be */
    List<PeriodActivity> all(Set<YearMonth> closedMonths) {
        Set<String> sources = new HashSet<>(users.keySet());
        sources.addAll(events.keySet());
        List<PeriodActivity> all = new ArrayList<>();
        for (String source : sources) {
            for (int i = 0; i < spans.size(); i++) {
                long active = of(users, source)[i];
                long counted = of(events, source)[i];
                boolean open = isOpen(spans.get(i), closedMonths);
                if (active > 0 || counted > 0) {
                    all.add(new PeriodActivity(
                            environment,
                            spans.get(i),
                            PostgresActiveUsersReader.source(source),
                            open ? active : null,
                            counted,
                            open,
                            null));
                }
            }
        }
        return all;
    }

    private static boolean isOpen(DateSpan span, Set<YearMonth> closedMonths) {
        YearMonth last = YearMonth.from(span.to());
        for (YearMonth month = YearMonth.from(span.from()); !month.isAfter(last); month = month.plusMonths(1)) {
            if (closedMonths.contains(month)) {
                return false;
            }
        }
        return true;
    }

    private long[] of(Map<String, long[]> numbers, String source) {
        return numbers.computeIfAbsent(source, key -> new long[spans.size()]);
    }
}
