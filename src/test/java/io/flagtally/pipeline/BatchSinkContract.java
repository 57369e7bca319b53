package io.flagtally.pipeline;

import static org.junit.jupiter.api.Assertions.assertAll;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.flagtally.event.EvaluationEvent;
import io.flagtally.event.EventId;
import io.flagtally.proof.FaultProxy;
import io.flagtally.rollup.BucketCalendar;
import io.flagtally.rollup.EventBatch;
import io.flagtally.testing.RandomEvents;
import io.smallrye.mutiny.Uni;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.function.Supplier;
import org.junit.jupiter.api.Test;

/**
 * What every {@link BatchSink} keeps. A sink's test extends it, on the real store; its store is empty before each test.
 *
 * <p>A test of recognising repeats runs again with recognition switched off, where the numbers must double: a store in
 * which they do not would let a broken sink pass.
 */
public abstract class BatchSinkContract {

    /** The time of the sinks' clock. Far ahead, so that no store deletes what is written as too old. */
    protected static final Instant NOW = Instant.parse("2091-11-21T12:30:00Z");

    protected static final BucketCalendar CALENDAR = new BucketCalendar(ZoneOffset.UTC);

    /** The time within which a sink gives up on a silent store. */
    protected static final Duration TIMEOUT = Duration.ofSeconds(2);

    private static final Duration PATIENCE = Duration.ofSeconds(30);
    private static final long SEED = new Random().nextLong();

    private final Random random = new Random(SEED);
    private final RandomEvents made = new RandomEvents(SEED);

    /**
     * Returns a new sink.
     *
     * @param port where the store seems to be
     * @param recognising whether it recognises repeats
     * @param timeout when it takes the store to be away
     */
    protected abstract BatchSink newSink(int port, boolean recognising, Duration timeout);

    /** The port at which the store really is. */
    protected abstract int storePort();

    protected abstract void stopStore();

    /** Starts the store again, with its data. */
    protected abstract void startStore();

    /** Returns how many events the store has counted. */
    protected abstract long counted();

    /** Makes the store refuse the counters of {@code flag} for good. */
    protected abstract void spoil(String flag);

    /** Makes {@code proxy} swallow the reply to the next write, which the store does apply. */
    protected void loseReply(FaultProxy proxy) {
        proxy.loseReplies();
    }

    /** Undoes {@link #spoil}. */
    protected abstract void mend(String flag);

    @Test
    void write_newEvents_countsThem() {
        BatchSink sink = newSink(storePort(), true, PATIENCE);

        BatchOutcome outcome = write(sink, batch(events(500)));

        assertAll(() -> assertEquals(new BatchOutcome(500, 0), outcome), () -> assertEquals(500, counted()));
    }

    @Test
    void write_emptyBatch_countsNothing() {
        assertEquals(new BatchOutcome(0, 0), write(newSink(storePort(), true, PATIENCE), batch(List.of())));
    }

    @Test
    void write_repeatWithinABatch_countsOnce() {
        List<EvaluationEvent> events = events(10);
        events.addAll(List.copyOf(events));

        BatchOutcome outcome = write(newSink(storePort(), true, PATIENCE), batch(events));

        assertAll(() -> assertEquals(new BatchOutcome(10, 10), outcome), () -> assertEquals(10, counted()));
    }

    @Test
    void write_sameBatchAgain_addsNothing() {
        assertEquals(300, countedAfterTheSameBatchTwice(true));
    }

    @Test
    void write_sameBatchAgainUnrecognised_doubles() {
        assertEquals(600, countedAfterTheSameBatchTwice(false));
    }

    @Test
    void write_sameEventsInOtherGroupings_countsEachOnce() {
        assertEquals(2_000, countedAfterOtherGroupings(true), () -> "seed " + SEED);
    }

    @Test
    void write_sameEventsInOtherGroupingsUnrecognised_countsAllOfThem() {
        assertEquals(6_000, countedAfterOtherGroupings(false), () -> "seed " + SEED);
    }

    @Test
    void write_sameBatchFromTwoSinksAtOnce_countsOnce() {
        List<EventBatch> batches = new ArrayList<>();
        for (int i = 0; i < 20; i++) {
            batches.add(batch(events(200)));
        }
        BatchSink one = newSink(storePort(), true, PATIENCE);
        BatchSink other = newSink(storePort(), true, PATIENCE);
        List<Uni<BatchOutcome>> writes = new ArrayList<>();
        batches.forEach(batch -> {
            writes.add(one.write(batch));
            writes.add(other.write(batch));
        });

        List<BatchOutcome> outcomes =
                Uni.join().all(writes).andFailFast().await().atMost(PATIENCE);

        BatchOutcome all = outcomes.stream().reduce(new BatchOutcome(0, 0), BatchOutcome::plus);
        assertAll(() -> assertEquals(new BatchOutcome(4_000, 4_000), all), () -> assertEquals(4_000, counted()));
    }

    @Test
    void write_replyLostThenRetried_countsOnce() {
        assertEquals(110, countedAfterALostReply(true));
    }

    @Test
    void write_replyLostThenRetriedUnrecognised_doubles() {
        assertEquals(210, countedAfterALostReply(false));
    }

    @Test
    void write_connectionsCutAgainAndAgain_countsOnce() {
        try (FaultProxy proxy = FaultProxy.to(storePort())) {
            BatchSink sink = newSink(proxy.port(), true, TIMEOUT);
            for (int i = 0; i < 10; i++) {
                EventBatch batch = batch(events(100));
                Uni<BatchOutcome> first = sink.write(batch);
                first.subscribe().with(outcome -> {}, failure -> {});
                proxy.cut();
                writePatiently(sink, batch);
            }
        }

        assertEquals(1_000, counted());
    }

    @Test
    void write_storeStopped_isUnavailableAndCountsOnceAfterItsReturn() {
        BatchSink sink = newSink(storePort(), true, TIMEOUT);
        write(sink, batch(events(10)));
        EventBatch batch = batch(events(100));
        stopStore();

        assertThrows(StoreUnavailableException.class, () -> write(sink, batch));

        startStore();
        BatchOutcome outcome = writePatiently(sink, batch);
        assertAll(() -> assertEquals(100, outcome.counted()), () -> assertEquals(110, counted()));
    }

    @Test
    void write_storeSilent_isUnavailableInTime() {
        try (FaultProxy proxy = FaultProxy.to(storePort())) {
            BatchSink sink = newSink(proxy.port(), true, TIMEOUT);
            proxy.fallSilent();

            assertThrows(
                    StoreUnavailableException.class,
                    () -> sink.write(batch(events(1))).await().atMost(TIMEOUT.multipliedBy(3)));
        }
    }

    @Test
    void write_eventTheStoreRefuses_isRejectedAndItsNeighboursCount() {
        BatchSink sink = newSink(storePort(), true, PATIENCE);
        EvaluationEvent guilty = event("spoilt");
        List<EvaluationEvent> events = events(50);
        events.add(25, guilty);
        spoil("spoilt");

        BatchOutcome outcome = write(sink, batch(events));

        assertAll(
                () -> assertEquals(50, outcome.counted()),
                () -> assertEquals(0, outcome.duplicates()),
                () -> assertEquals(1, outcome.rejected().size()),
                () -> assertEquals(50, counted()));
        RejectedEvent rejected = outcome.rejected().get(0);
        assertTrue(rejected.event() == guilty);
        assertTrue(rejected.detail().contains("spoilt"), rejected.detail());
    }

    @Test
    void write_rejectedEventAfterTheStoreIsMended_counts() {
        BatchSink sink = newSink(storePort(), true, PATIENCE);
        EventBatch batch = batch(List.of(event("spoilt"), event("sound")));
        spoil("spoilt");
        write(sink, batch);
        mend("spoilt");

        BatchOutcome outcome = write(sink, batch);

        assertAll(() -> assertEquals(new BatchOutcome(1, 1), outcome), () -> assertEquals(2, counted()));
    }

    private long countedAfterTheSameBatchTwice(boolean recognising) {
        BatchSink sink = newSink(storePort(), recognising, PATIENCE);
        EventBatch batch = batch(events(300));
        write(sink, batch);

        BatchOutcome again = write(sink, batch);

        assertEquals(recognising ? new BatchOutcome(0, 300) : new BatchOutcome(300, 0), again);
        return counted();
    }

    private long countedAfterOtherGroupings(boolean recognising) {
        BatchSink sink = newSink(storePort(), recognising, PATIENCE);
        List<EvaluationEvent> events = events(2_000);
        for (int round = 0; round < 3; round++) {
            Collections.shuffle(events, random);
            int from = 0;
            while (from < events.size()) {
                int to = Math.min(events.size(), from + 1 + random.nextInt(700));
                write(sink, batch(events.subList(from, to)));
                from = to;
            }
        }
        return counted();
    }

    private long countedAfterALostReply(boolean recognising) {
        try (FaultProxy proxy = FaultProxy.to(storePort())) {
            BatchSink sink = newSink(proxy.port(), recognising, TIMEOUT);
            write(sink, batch(events(10)));
            EventBatch batch = batch(events(100));
            loseReply(proxy);
            assertThrows(StoreUnavailableException.class, () -> write(sink, batch));
            proxy.pass();

            writePatiently(sink, batch);
        }
        return counted();
    }

    protected static BatchOutcome write(BatchSink sink, EventBatch batch) {
        return sink.write(batch).await().atMost(PATIENCE);
    }

    /** Writes as the pipeline does: again and again while the store is away. */
    protected static BatchOutcome writePatiently(BatchSink sink, EventBatch batch) {
        Supplier<Uni<? extends BatchOutcome>> write = () -> sink.write(batch);
        return Uni.createFrom()
                .deferred(write)
                .onFailure(StoreUnavailableException.class)
                .retry()
                .withBackOff(Duration.ofMillis(20), Duration.ofMillis(200))
                .indefinitely()
                .await()
                .atMost(PATIENCE);
    }

    protected static EventBatch batch(List<EvaluationEvent> events) {
        return EventBatch.of(CALENDAR, events);
    }

    /** Returns new events of the last two days, of few flags, variations and users. */
    protected List<EvaluationEvent> events(int count) {
        List<EvaluationEvent> events = new ArrayList<>(count);
        for (int i = 0; i < count; i++) {
            Instant time = NOW.minusSeconds(random.nextInt(48 * 3600));
            events.add(RandomEvents.evaluation(
                    id(), "flag-" + random.nextInt(4), "v" + random.nextInt(3), "u" + random.nextInt(50), time));
        }
        return events;
    }

    protected EvaluationEvent event(String flag) {
        return RandomEvents.evaluation(id(), flag, "v0", "u0", NOW);
    }

    protected EventId id() {
        return made.id();
    }
}
