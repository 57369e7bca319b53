package io.flagtally.store.postgres;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.flagtally.event.EnvironmentId;
import io.flagtally.event.FlagEvent;
import io.flagtally.event.SourceId;
import io.flagtally.rollup.Activity;
import io.flagtally.rollup.BucketCalendar;
import io.flagtally.rollup.EventBatch;
import io.flagtally.testing.RandomEvents;
import io.vertx.mutiny.sqlclient.Tuple;
import java.time.Duration;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.UUID;
import org.junit.jupiter.api.Test;

/** All transactions lock rows in one order: what each statement of a flush is given is sorted by its table's key. */
class ActiveUsersStatementsTest {

    private static final long SEED = new Random().nextLong();
    private static final BucketCalendar UTC = new BucketCalendar(ZoneOffset.UTC);

    private final List<FlagEvent> events = events();
    private final Activity activity = Activity.of(UTC, events);

    @Test
    void identities_ofAFlush_areSorted() {
        ActiveUsersFlush flush = new ActiveUsersFlush(EventBatch.of(UTC, events), UTC, true);
        flush.settle(Set.of());

        UUID[] keys = ActiveUsersStatements.identities(flush.keys()).getArrayOfUUIDs(0);

        assertEquals(events.size(), keys.length);
        for (int i = 1; i < keys.length; i++) {
            assertTrue(keys[i - 1].compareTo(keys[i]) < 0, "seed " + SEED);
        }
    }

    @Test
    void users_ofAFlush_areSortedByTheKeyOfTheirTable() {
        requireSorted(ActiveUsersStatements.users(activity), 0, 1, 2);
    }

    @Test
    void usersOfSources_ofAFlush_areSortedByTheKeyOfTheirTable() {
        requireSorted(ActiveUsersStatements.usersOfSources(activity, 0), 0, 1, 2, 3);
    }

    @Test
    void summaries_ofAFlush_areSortedByTheKeyOfTheirTable() {
        SummaryDeltas deltas = new SummaryDeltas(UTC);
        deltas.addEvents(activity);

        requireSorted(deltas.tuple(0, RandomEvents.NOW, 0), 0, 1, 2);
    }

    /** @param columns the positions of the arrays that make the key */
    private static void requireSorted(Tuple arrays, int... columns) {
        String[] last = null;
        int rows = arrays.getArrayOfStrings(0).length;
        assertTrue(rows > 20, "seed " + SEED);
        for (int row = 0; row < rows; row++) {
            int at = row;
            String[] key = Arrays.stream(columns)
                    .mapToObj(column -> arrays.getArrayOfStrings(column)[at])
                    .toArray(String[]::new);
            assertTrue(last == null || Arrays.compare(last, key) < 0, () -> "row " + at + ", seed " + SEED);
            last = key;
        }
    }

    private static List<FlagEvent> events() {
        Random random = new Random(SEED);
        RandomEvents made = new RandomEvents(SEED);
        SourceId[] sources = {SourceId.WEB, SourceId.IOS, SourceId.ANDROID};
        List<FlagEvent> events = new ArrayList<>();
        for (int i = 0; i < 2_000; i++) {
            events.add(made.activity(
                    new EnvironmentId("e" + random.nextInt(3)),
                    "u" + random.nextInt(200),
                    sources[random.nextInt(3)],
                    RandomEvents.NOW.minus(Duration.ofHours(random.nextInt(1_500)))));
        }
        return events;
    }
}
