package io.flagtally.pipeline;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.flagtally.codec.BucketeerCodec;
import io.flagtally.codec.EventHeaders;
import io.flagtally.event.EnvironmentId;
import io.flagtally.event.FlagEvent;
import io.flagtally.event.SourceId;
import io.flagtally.platform.error.ErrorCode;
import io.flagtally.rollup.BucketCalendar;
import io.flagtally.testing.RandomEvents;
import io.flagtally.testing.TestConfigs;
import io.flagtally.testing.WireLines;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.smallrye.mutiny.Uni;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

class EventPipelineTest {

    private static final BucketeerCodec CODEC = new BucketeerCodec();
    private static final Duration PACE = Duration.ofMillis(10);

    private record Planned(Duration delay, Runnable task) {}

    private final RandomEvents random = new RandomEvents(7);
    private final RecordingSink sink = new RecordingSink();
    private final SimpleMeterRegistry meters = new SimpleMeterRegistry();
    private final List<DeadLetter> putAside = new ArrayList<>();
    private boolean lettersAway;
    private final List<String> settled = new ArrayList<>();
    private final List<Planned> timers = new ArrayList<>();
    private Instant now = RandomEvents.NOW;
    private final EventPipeline pipeline = pipeline();

    private EventPipeline pipeline() {
        PipelineConfig config = TestConfigs.of(
                PipelineConfig.class,
                Map.of(
                        "flagtally.pipeline.batch.size-max",
                        "10",
                        "flagtally.pipeline.batch.bytes-max",
                        "100000",
                        "flagtally.pipeline.in-flight-max",
                        "2"));
        Timers steps = (delay, task) -> timers.add(new Planned(delay, task));
        PatientRetry retry = new PatientRetry(steps, Duration.ofMillis(1), Duration.ofMillis(8), () -> 0);
        DeadLetters deadLetters = letters -> {
            if (lettersAway) {
                return Uni.createFrom().failure(new StoreUnavailableException("away", null));
            }
            putAside.addAll(letters);
            return Uni.createFrom().voidItem();
        };
        return new EventPipeline(
                config,
                Duration.ofHours(24),
                new BucketCalendar(ZoneOffset.UTC),
                new SinkFanOut(List.of(sink), retry, meters),
                deadLetters,
                retry,
                steps,
                () -> now,
                meters);
    }

    private void runTimers() {
        runTimersUpTo(Duration.ofDays(1));
    }

    private void runTimersUpTo(Duration delayMax) {
        List<Planned> due = timers.stream()
                .filter(timer -> timer.delay().compareTo(delayMax) <= 0)
                .toList();
        timers.removeAll(due);
        due.forEach(timer -> timer.task().run());
    }

    private List<FlagEvent> accept(String name, int events) {
        List<FlagEvent> sent = random.events(events);
        accept(name, WireLines.payload(sent), CODEC.contentType(), RandomEvents.NOW, false);
        return sent;
    }

    private void accept(String name, byte[] payload, String contentType, Instant acceptedAt, boolean redelivered) {
        accept(name, payload, contentType, acceptedAt, new Arrival(redelivered, Optional.empty(), Map.of()));
    }

    private void accept(String name, byte[] payload, String contentType, Instant acceptedAt, Arrival arrival) {
        EventHeaders headers = new EventHeaders(EnvironmentId.DEFAULT, SourceId.WEB, contentType, 1, acceptedAt);
        boolean known = contentType.equals(CODEC.contentType());
        pipeline.accept(new Delivery(payload, headers, arrival, known ? CODEC : null, new Delivery.Acknowledgement() {
            @Override
            public void ack() {
                settled.add(name);
            }

            @Override
            public void nack(Throwable reason) {
                settled.add("not " + name);
            }
        }));
    }

    @Test
    void accept_nothingInFlight_writesAtOnceAndAcknowledges() {
        accept("a", 3);

        assertEquals(List.of(3), sink.writtenSizes);
        assertEquals(List.of("a"), settled);
    }

    @Test
    void accept_writeNotDone_doesNotAcknowledge() {
        sink.hold();

        accept("a", 3);

        assertEquals(List.of(), settled);
        sink.releaseOne();
        assertEquals(List.of("a"), settled);
    }

    @Test
    void accept_whileABatchIsInFlight_gathersUntilItEnds() {
        sink.hold();
        accept("a", 1);
        accept("b", 2);
        accept("c", 3);
        assertEquals(1, sink.held());

        runTimersUpTo(PACE);
        assertEquals(1, sink.held());
        sink.releaseOne();
        sink.releaseOne();

        assertEquals(List.of(1, 5), sink.writtenSizes);
        assertEquals(List.of("a", "b", "c"), settled);
    }

    @Test
    void accept_withinThePaceOfABatch_gathersUntilItHasPassed() {
        accept("a", 1);
        accept("b", 2);
        accept("c", 3);
        assertEquals(List.of(1), sink.writtenSizes);

        runTimersUpTo(PACE);

        assertEquals(List.of(1, 5), sink.writtenSizes);
        assertEquals(List.of("a", "b", "c"), settled);
    }

    @Test
    void accept_withinThePaceButFull_isWrittenAtOnce() {
        accept("a", 1);
        accept("b", 10);

        assertEquals(List.of(1, 10), sink.writtenSizes);
    }

    @Test
    void accept_afterThePace_isWrittenAtOnce() {
        accept("a", 1);
        runTimersUpTo(PACE);
        accept("b", 2);

        assertEquals(List.of(1, 2), sink.writtenSizes);
    }

    @Test
    void accept_lingerPassed_startsASecondBatch() {
        sink.hold();
        accept("a", 1);
        accept("b", 2);
        assertEquals(1, sink.held());

        runTimers();

        assertEquals(2, sink.held());
    }

    @Test
    void hasRoom_allInFlightAndTheNextBatchFull_isFalseUntilOneEnds() {
        List<String> roomAgain = new ArrayList<>();
        pipeline.onRoom(() -> roomAgain.add("room"));
        sink.hold();
        accept("a", 10);
        accept("b", 10);
        assertTrue(pipeline.hasRoom());
        accept("c", 10);
        assertFalse(pipeline.hasRoom());

        sink.releaseOne();

        assertTrue(pipeline.hasRoom());
        assertEquals(List.of("room"), roomAgain);
    }

    @Test
    void accept_storeAway_waitsAndNeverPutsAside() {
        sink.setAway(true);
        accept("a", 3);
        for (int i = 0; i < 50; i++) {
            runTimers();
        }
        assertEquals(List.of(), settled);

        sink.setAway(false);
        runTimers();

        assertEquals(List.of("a"), settled);
        assertEquals(List.of(), putAside);
    }

    @Test
    void hasRoom_bytesOfTheNextBatchReached_isFalseThoughEventsAreFew() {
        sink.hold();
        acceptLarge("a", 60_000);
        acceptLarge("b", 60_000);
        acceptLarge("c", 60_000);
        assertEquals(2, sink.held());
        acceptLarge("d", 60_000);
        assertTrue(pipeline.hasRoom());
        acceptLarge("e", 60_000);
        assertFalse(pipeline.hasRoom());

        sink.releaseOne();

        assertTrue(pipeline.hasRoom());
    }

    /** A message of one event and many bytes. */
    private void acceptLarge(String name, int bytes) {
        String line = new String(WireLines.payload(random.events(1)), StandardCharsets.UTF_8);
        byte[] payload = (line + " ".repeat(bytes)).getBytes(StandardCharsets.UTF_8);
        accept(name, payload, CODEC.contentType(), now, false);
    }

    @Test
    void accept_storeAwayLongerThanTheWindow_isPutAsideAndNotWritten() {
        sink.setAway(true);
        accept("a", 3);
        runTimers();

        pass(Duration.ofHours(25));
        sink.setAway(false);
        List<String> log = new ArrayList<>();
        try (var lines = new LoggedLines(PatientRetry.class, log::add)) {
            runTimers();
        }

        assertEquals(List.of(), sink.writtenSizes);
        assertEquals(3, putAside.size());
        assertEquals(List.of(), log, "nobody knows that the store is back");
        DeadLetter letter = putAside.get(0);
        assertEquals(ErrorCode.DEDUPLICATION_WINDOW_PASSED, letter.code());
        assertTrue(letter.detail().contains("held for more than PT24H"), letter.detail());
        assertEquals(List.of("a"), settled);
    }

    @Test
    void accept_storeAwayAlmostAsLongAsTheWindow_isWritten() {
        sink.setAway(true);
        accept("a", 3);

        pass(Duration.ofHours(24));
        sink.setAway(false);
        runTimers();

        assertEquals(List.of(3), sink.writtenSizes);
        assertEquals(List.of(), putAside);
    }

    @Test
    void accept_oneMessageOfABatchHeldTooLong_writesItsNeighbours() {
        sink.setAway(true);
        accept("first batch", 1);
        accept("held for 25 hours", 2);
        pass(Duration.ofHours(20));
        accept("held for 5 hours", 3);
        runTimers();

        pass(Duration.ofHours(5).plusSeconds(1));
        sink.setAway(false);
        runTimers();

        assertEquals(List.of(3), sink.writtenSizes);
        assertEquals(3, putAside.size());
        assertEquals(List.of("first batch", "held for 25 hours", "held for 5 hours"), settled);
    }

    @Test
    void accept_redeliveredWithinTheWindowAndHeldPastIt_isPutAside() {
        byte[] payload = WireLines.payload(random.events(2));
        sink.setAway(true);
        accept("a", payload, CODEC.contentType(), now.minus(Duration.ofHours(23)), true);

        pass(Duration.ofHours(2));
        sink.setAway(false);
        runTimers();

        assertEquals(List.of(), sink.writtenSizes);
        assertEquals(2, putAside.size());
    }

    private void pass(Duration time) {
        now = now.plus(time);
    }

    @Test
    void accept_manyEventsRefused_areAllPutAsideWithOneLineInTheLog() {
        List<FlagEvent> one = random.events(4);
        List<FlagEvent> other = random.events(5);
        sink.hold();
        accept("in flight", 1);
        accept("one", WireLines.payload(one), CODEC.contentType(), now, false);
        accept("other", WireLines.payload(other), CODEC.contentType(), now, false);
        one.forEach(event -> sink.refused.add(event.id()));
        other.subList(1, 5).forEach(event -> sink.refused.add(event.id()));
        runTimers();
        List<String> log = new ArrayList<>();

        try (var lines = new LoggedLines(EventPipeline.class, log::add)) {
            sink.releaseOne();
            sink.releaseOne();
        }

        assertEquals(
                Stream.concat(one.stream(), other.subList(1, 5).stream())
                        .map(event -> event.id().toString())
                        .toList(),
                putAside.stream().map(DeadLetter::eventId).toList());
        assertEquals(1, log.size(), log::toString);
        assertTrue(log.get(0).contains("8 events"), log.get(0));
    }

    @Test
    void accept_deadLettersAway_isToldOnlyOnceTheyAreKept() {
        List<String> log = new ArrayList<>();
        try (var lines = new LoggedLines(EventPipeline.class, log::add)) {
            lettersAway = true;
            accept("a", new byte[] {1}, "application/x-unknown", RandomEvents.NOW, false);
            runTimers();
            assertEquals(List.of(), log);
            assertEquals(
                    0,
                    meters.counter("flagtally.events.dead_letters", "code", "malformed")
                            .count());

            lettersAway = false;
            runTimers();
        }

        assertEquals(1, log.size(), log::toString);
        assertTrue(log.get(0).contains("Put aside 1 events"), log.get(0));
        assertEquals(
                1,
                meters.counter("flagtally.events.dead_letters", "code", "malformed")
                        .count());
    }

    @Test
    void accept_oneEventAtFault_isPutAsideAndItsNeighboursAreWritten() {
        List<FlagEvent> events = random.events(9);
        sink.poison.add(events.get(4).id());
        byte[] payload = WireLines.payload(events);

        accept("a", payload, CODEC.contentType(), RandomEvents.NOW, false);

        assertEquals(8, sink.writtenSizes.stream().mapToInt(size -> size).sum());
        assertEquals(List.of("a"), settled);
        DeadLetter letter = putAside.get(0);
        assertEquals(1, putAside.size());
        assertEquals(ErrorCode.SINK_REJECTED, letter.code());
        String line =
                new String(payload, StandardCharsets.UTF_8).lines().toList().get(4);
        assertEquals(line, new String(letter.payload(), StandardCharsets.UTF_8));
    }

    @Test
    void accept_unreadableLine_isPutAsideAndTheOthersAreWritten() {
        String good = new String(WireLines.payload(random.events(2)), StandardCharsets.UTF_8);
        byte[] payload = (good + "\n{\"id\":").getBytes(StandardCharsets.UTF_8);

        accept("a", payload, CODEC.contentType(), RandomEvents.NOW, false);

        assertEquals(List.of(2), sink.writtenSizes);
        assertEquals(List.of("a"), settled);
        assertEquals(
                List.of("{\"id\":"),
                putAside.stream()
                        .map(letter -> new String(letter.payload(), StandardCharsets.UTF_8))
                        .collect(Collectors.toList()));
    }

    @Test
    void accept_unknownContentType_isPutAsideWhole() {
        accept("a", new byte[] {1, 2, 3}, "application/x-unknown", RandomEvents.NOW, false);

        assertEquals(List.of("a"), settled);
        assertEquals(ErrorCode.MALFORMED, putAside.get(0).code());
    }

    @Test
    void accept_redeliveredAfterTheWindow_isPutAsideNotCounted() {
        byte[] payload = WireLines.payload(random.events(2));

        accept("a", payload, CODEC.contentType(), RandomEvents.NOW.minus(Duration.ofHours(25)), true);

        assertEquals(List.of(), sink.writtenSizes);
        assertEquals(2, putAside.size());
        assertEquals(ErrorCode.DEDUPLICATION_WINDOW_PASSED, putAside.get(0).code());
        assertEquals(List.of("a"), settled);
    }

    @Test
    void accept_oldBacklogDeliveredForTheFirstTime_isCounted() {
        byte[] payload = WireLines.payload(random.events(2));

        accept("a", payload, CODEC.contentType(), RandomEvents.NOW.minus(Duration.ofHours(25)), false);

        assertEquals(List.of(2), sink.writtenSizes);
        assertEquals(List.of(), putAside);
    }

    @Test
    void accept_oldBacklogTriedAgainHere_isCountedUnlessItsFirstTimeWasBeforeTheWindow() {
        byte[] payload = WireLines.payload(random.events(2));
        Instant acceptedAt = now.minus(Duration.ofHours(30));

        accept("a", payload, CODEC.contentType(), acceptedAt, Arrival.IN_PROCESS.triedSince(now.minusSeconds(1)));
        assertEquals(List.of(2), sink.writtenSizes);
        assertEquals(List.of(), putAside);

        Instant before = now.minus(Duration.ofHours(24)).minusSeconds(1);
        accept("b", payload, CODEC.contentType(), acceptedAt, Arrival.IN_PROCESS.triedSince(before));
        runTimers();
        assertEquals(List.of(2), sink.writtenSizes);
        assertEquals(2, putAside.size());
        String detail = putAside.get(0).detail();
        assertTrue(detail.contains("held for more than PT24H"), detail);
    }

    @Test
    void drain_isDoneWhenNothingIsOutstanding() {
        sink.hold();
        accept("a", 1);
        accept("b", 1);

        var drained = pipeline.drain().toCompletableFuture();
        assertEquals(2, sink.held());
        sink.releaseOne();
        assertFalse(drained.isDone());
        sink.releaseOne();

        assertTrue(drained.isDone());
        assertEquals(0, pipeline.outstandingEvents());
    }
}
