package io.flagtally.store.postgres;

import io.flagtally.event.EnvironmentId;
import io.flagtally.rollup.Activity;
import io.flagtally.rollup.BucketCalendar;
import io.vertx.mutiny.sqlclient.Row;
import io.vertx.mutiny.sqlclient.RowSet;
import io.vertx.mutiny.sqlclient.Tuple;
import java.time.Instant;
import java.time.LocalDate;
import java.time.YearMonth;
import java.util.Comparator;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** What a flush adds to the summaries, users by what the tables say is new and events by what was folded, or an erasure takes. */
final class SummaryDeltas {

    /** Stands for all SDKs together. */
    static final String ALL_SOURCES = "*";

    private record Key(String environment, String period, String source) {}

    private static final class Delta {
        private long users;
        private long events;
        private @Nullable Instant end;
    }

    private final TreeMap<Key, Delta> deltas = new TreeMap<>(
            Comparator.comparing(Key::environment).thenComparing(Key::period).thenComparing(Key::source));
    private final BucketCalendar calendar;

    SummaryDeltas(BucketCalendar calendar) {
        this.calendar = calendar;
    }

    /** Adds the events of {@code activity}, to days and months, to SDKs and all of them. */
    void addEvents(Activity activity) {
        activity.events().forEach((key, count) -> {
            for (String source : new String[] {key.source().name(), ALL_SOURCES}) {
                day(key.environment(), key.day(), source).events += count;
                month(key.environment(), key.day(), source).events += count;
            }
        });
    }

    /** Adds the users that {@link ActiveUsersStatements#UPSERT_USERS} or its twin says are new. */
    void addUsers(RowSet<Row> added) {
        for (Row row : added) {
            EnvironmentId environment = new EnvironmentId(row.getString(0));
            LocalDate first = first(row.getString(1));
            String source = row.getString(2);
            addUsers(environment, first, source, row.getInteger(3), row.getLong(4));
            month(environment, first, source).users += row.getLong(5);
        }
    }

    /**
     * Takes a user's month out.
     *
     * @param source an SDK, or {@link #ALL_SOURCES}
     * @param days the days on which it was active, the lowest bit for the first; none if the user is not known by it
     */
    void remove(String environmentId, String month, String source, int days, long events) {
        EnvironmentId environment = new EnvironmentId(environmentId);
        LocalDate first = first(month);
        addUsers(environment, first, source, days, -1);
        Delta ofMonth = month(environment, first, source);
        ofMonth.users -= days == 0 ? 0 : 1;
        ofMonth.events -= events;
    }

    private void addUsers(EnvironmentId environment, LocalDate first, String source, int days, long users) {
        for (int bit = 0; bit < first.lengthOfMonth(); bit++) {
            if ((days >>> bit & 1) == 1) {
                day(environment, first.plusDays(bit), source).users += users;
            }
        }
    }

    private static LocalDate first(String month) {
        return LocalDate.of(Integer.parseInt(month.substring(0, 4)), Integer.parseInt(month.substring(4)), 1);
    }

    private Delta day(EnvironmentId environment, LocalDate day, String source) {
        return delta(environment, ActiveUsersFlush.text(day), source, day.plusDays(1));
    }

    private Delta month(EnvironmentId environment, LocalDate day, String source) {
        YearMonth month = YearMonth.from(day);
        return delta(
                environment,
                ActiveUsersFlush.text(month),
                source,
                month.plusMonths(1).atDay(1));
    }

    private Delta delta(EnvironmentId environment, String period, String source, LocalDate next) {
        Delta delta = deltas.computeIfAbsent(new Key(environment.value(), period, source), key -> new Delta());
        if (delta.end == null) {
            delta.end = calendar.dayStart(next);
        }
        return delta;
    }

    /**
     * Returns the arguments of {@link ActiveUsersStatements#UPSERT_SUMMARIES}, sorted by its key.
     *
     * @param writtenAt the time of the last write, unix seconds; 0 for what does not prolong the retention
     */
    Tuple tuple(int shard, Instant now, long writtenAt) {
        int size = deltas.size();
        String[] environments = new String[size];
        String[] periods = new String[size];
        String[] sources = new String[size];
        Long[] users = new Long[size];
        Long[] events = new Long[size];
        @Nullable Long[] revised = new Long[size];
        int at = 0;
        for (Map.Entry<Key, Delta> entry : deltas.entrySet()) {
            Delta delta = entry.getValue();
            environments[at] = entry.getKey().environment();
            periods[at] = entry.getKey().period();
            sources[at] = entry.getKey().source();
            users[at] = delta.users;
            events[at] = delta.events;
            boolean late = delta.end != null && !now.isBefore(delta.end);
            revised[at++] = late ? now.getEpochSecond() : null;
        }
        return Tuple.tuple()
                .addArrayOfString(environments)
                .addArrayOfString(periods)
                .addArrayOfString(sources)
                .addArrayOfLong(users)
                .addArrayOfLong(events)
                .addShort((short) shard)
                .addLong(writtenAt)
                .addArrayOfLong(revised);
    }
}
