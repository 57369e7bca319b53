package io.flagtally.rollup;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;

import io.flagtally.event.EvaluationEvent;
import io.flagtally.event.FlagEvent;
import io.flagtally.testing.RandomEvents;
import java.time.Instant;
import java.time.ZoneId;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class RollupTest {

    private static final BucketCalendar TOKYO = new BucketCalendar(ZoneId.of("Asia/Tokyo"));

    static LongStream seeds() {
        return LongStream.range(0, 200);
    }

    @Test
    void fold_twoEventsSameHour_addsTwo() {
        RandomEvents random = new RandomEvents(1);
        Instant hour = Instant.parse("2026-11-21T10:00:00Z");

        Rollup rollup = new Rollup(TOKYO)
                .fold(RandomEvents.evaluation(random.id(), "f", "v", "u1", hour))
                .fold(RandomEvents.evaluation(random.id(), "f", "v", "u1", hour.plusSeconds(3599)));

        assertEquals(1, rollup.counts().size());
        CountDelta delta = rollup.counts().values().iterator().next();
        assertEquals(2, delta.identities().size());
        assertEquals(Set.of("u1"), delta.users());
    }

    @Test
    void fold_sameEventTwice_addsOneAndCountsTheRepeat() {
        EvaluationEvent event = new RandomEvents(1).evaluation();

        Rollup rollup = new Rollup(TOKYO).fold(event).fold(event);

        CountDelta delta = rollup.counts().values().iterator().next();
        assertEquals(1, delta.identities().size());
        assertEquals(1, delta.repeats());
    }

    @Test
    void fold_sameIdOtherSecond_isAnotherEvent() {
        RandomEvents random = new RandomEvents(1);
        EvaluationEvent event =
                RandomEvents.evaluation(random.id(), "f", "v", "u", Instant.parse("2026-11-21T10:00:00Z"));
        EvaluationEvent later =
                RandomEvents.evaluation(event.id(), "f", "v", "u", event.time().plusSeconds(1));

        Rollup rollup = new Rollup(TOKYO).fold(event).fold(later);

        assertEquals(2, rollup.counts().values().iterator().next().identities().size());
    }

    @Test
    void fold_dayEdgeOfTheZone_countsIntoTwoDays() {
        RandomEvents random = new RandomEvents(1);
        Instant midnight = Instant.parse("2026-11-20T15:00:00Z");

        Rollup rollup = new Rollup(TOKYO)
                .fold(RandomEvents.evaluation(random.id(), "f", "v", "u", midnight.minusSeconds(1)))
                .fold(RandomEvents.evaluation(random.id(), "f", "v", "u", midnight));

        Set<Instant> days = new HashSet<>();
        rollup.counts().keySet().forEach(key -> days.add(key.day()));
        assertEquals(Set.of(midnight, Instant.parse("2026-11-19T15:00:00Z")), days);
    }

    @ParameterizedTest
    @MethodSource("seeds")
    void fold_anyOrder_isEqual(long seed) {
        List<FlagEvent> events = withRepeats(seed);
        List<FlagEvent> shuffled = new ArrayList<>(events);
        Collections.shuffle(shuffled, new Random(seed));

        assertEquals(fold(events), fold(shuffled));
    }

    @ParameterizedTest
    @MethodSource("seeds")
    void merge_ofTwoParts_isTheFoldOfTheWhole(long seed) {
        List<FlagEvent> events = withRepeats(seed);
        int cut = new Random(seed).nextInt(events.size());

        Rollup merged = fold(events.subList(0, cut)).merge(fold(events.subList(cut, events.size())));

        assertEquals(fold(events), merged);
    }

    @Test
    void equals_oneEventLess_differs() {
        List<FlagEvent> events = new RandomEvents(3).events(20);

        assertNotEquals(fold(events), fold(events.subList(1, 20)));
    }

    private static List<FlagEvent> withRepeats(long seed) {
        List<FlagEvent> events = new RandomEvents(seed).events(60);
        Random random = new Random(seed);
        for (int i = 0; i < 10; i++) {
            events.add(events.get(random.nextInt(60)));
        }
        return events;
    }

    private static Rollup fold(List<FlagEvent> events) {
        Rollup rollup = new Rollup(TOKYO);
        events.forEach(rollup::fold);
        return rollup;
    }
}
