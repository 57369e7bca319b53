package io.flagtally.store.postgres;

import io.flagtally.series.DateSpan;
import java.time.LocalDate;
import java.time.YearMonth;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * The statements that count the users of spans of days: a pass over the users' rows for all spans that touch the same months.
 * Within one month a row is a user, so that nothing is gathered; over several, their rows are joined. $1 is the environment;
 * everything else in their text is a number made here.
 */
final class UserSpans {

    private final List<DateSpan> spans;
    private final List<Integer> positions;
    private final List<YearMonth> months;

    private UserSpans(List<YearMonth> months, List<Integer> positions, List<DateSpan> all) {
        this.months = months;
        this.positions = positions;
        spans = positions.stream().map(all::get).toList();
    }

    /** Returns the passes that count all of {@code spans}. */
    static List<UserSpans> of(List<DateSpan> spans) {
        Map<List<YearMonth>, List<Integer>> byMonths = IntStream.range(0, spans.size())
                .boxed()
                .collect(Collectors.groupingBy(at -> months(spans.get(at)), LinkedHashMap::new, Collectors.toList()));
        return byMonths.entrySet().stream()
                .map(entry -> new UserSpans(entry.getKey(), entry.getValue(), spans))
                .toList();
    }

    private static List<YearMonth> months(DateSpan span) {
        return Stream.iterate(
                        YearMonth.from(span.from()),
                        month -> !month.isAfter(YearMonth.from(span.to())),
                        month -> month.plusMonths(1))
                .toList();
    }

    /** The positions of the counted spans among all of them, in the order of the numbers of a row. */
    List<Integer> positions() {
        return positions;
    }

    /** Gives one row: {@code *}, then the users of each span. */
    String sql() {
        return "select '*', " + counts() + " from " + rows("mau_user", "user_id", "");
    }

    /** Gives one row for the SDK of $2: its name, then the users of each span. */
    String sqlOfSource() {
        return "select $2::text, " + counts() + " from " + rows("mau", "user_id", " and source_id = $2");
    }

    /** Gives a row a SDK: its name, then the users of each span. */
    String sqlBySource() {
        return "select source_id, " + counts() + " from " + rows("mau", "source_id, user_id", "")
                + " group by source_id";
    }

    private String rows(String table, String key, String which) {
        return IntStream.range(0, months.size())
                .mapToObj(i -> "(select " + key + ", days as m" + i + " from " + table
                        + " where environment_namespace = $1 and yearmonth = '" + ActiveUsersFlush.text(months.get(i))
                        + "'" + which + ") as rows" + i + (i == 0 ? "" : " using (" + key + ")"))
                .collect(Collectors.joining(" full join "));
    }

    private String counts() {
        return spans.stream()
                .map(span -> "count(*) filter (where " + activeIn(span) + ")")
                .collect(Collectors.joining(", "));
    }

    private String activeIn(DateSpan span) {
        return IntStream.range(0, months.size())
                        .mapToObj(i -> "(coalesce(m" + i + ", 0) & " + mask(span, months.get(i)) + ")")
                        .collect(Collectors.joining(" | "))
                + " <> 0";
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
