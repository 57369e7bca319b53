package io.flagtally.store.postgres;

import io.flagtally.series.DateSpan;
import java.time.LocalDate;
import java.time.YearMonth;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;

/**
 * The statements that count the users of spans of days: one pass over the users' rows for all spans. $1 is the
 * environment; everything else in their text is a number made here.
 */
final class UserSpans {

    private final List<DateSpan> spans;
    private final List<YearMonth> months = new ArrayList<>();

    UserSpans(List<DateSpan> spans) {
        this.spans = spans;
        LocalDate last =
                spans.stream().map(DateSpan::to).max(LocalDate::compareTo).orElseThrow();
        YearMonth month = YearMonth.from(
                spans.stream().map(DateSpan::from).min(LocalDate::compareTo).orElseThrow());
        while (!month.isAfter(YearMonth.from(last))) {
            months.add(month);
            month = month.plusMonths(1);
        }
    }

    /** Gives one row: {@code *}, then the users of each span. */
    String sql() {
        return "select '*', " + counts() + " from (select " + masks() + " from mau_user where " + where()
                + " group by user_id) as days_of_user";
    }

    /** Gives a row a SDK: its name, then the users of each span. */
    String sqlBySource() {
        return "select source_id, " + counts() + " from (select source_id, " + masks() + " from mau where " + where()
                + " group by source_id, user_id) as days_of_user group by source_id";
    }

    private String masks() {
        return months.stream()
                .map(month -> "coalesce(bit_or(days) filter (where yearmonth = '" + ActiveUsersFlush.text(month)
                        + "'), 0) as m" + months.indexOf(month))
                .collect(Collectors.joining(", "));
    }

    private String where() {
        return "environment_namespace = $1 and yearmonth in ("
                + months.stream()
                        .map(month -> "'" + ActiveUsersFlush.text(month) + "'")
                        .collect(Collectors.joining(", "))
                + ")";
    }

    private String counts() {
        return spans.stream()
                .map(span -> "count(*) filter (where " + activeIn(span) + ")")
                .collect(Collectors.joining(", "));
    }

    private String activeIn(DateSpan span) {
        List<String> terms = new ArrayList<>();
        for (int i = 0; i < months.size(); i++) {
            int mask = mask(span, months.get(i));
            if (mask != 0) {
                terms.add("(m" + i + " & " + mask + ")");
            }
        }
        return String.join(" | ", terms) + " <> 0";
    }

    /** Returns the days of {@code span} within {@code month}, the lowest bit for the first. */
    static int mask(DateSpan span, YearMonth month) {
        int mask = 0;
        for (int day = 1; day <= month.lengthOfMonth(); day++) {
            LocalDate date = month.atDay(day);
            if (!date.isBefore(span.from()) && !date.isAfter(span.to())) {
                mask |= 1 << (day - 1);
            }
        }
        return mask;
    }
}
