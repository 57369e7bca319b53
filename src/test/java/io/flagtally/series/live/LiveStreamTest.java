package io.flagtally.series.live;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.flagtally.platform.error.UnavailableException;
import io.flagtally.testing.TestConfigs;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.smallrye.mutiny.Uni;
import io.vertx.core.Context;
import io.vertx.core.Vertx;
import jakarta.ws.rs.sse.OutboundSseEvent;
import java.time.Duration;
import java.time.LocalDate;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Flow.Subscriber;
import java.util.concurrent.Flow.Subscription;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import org.awaitility.Awaitility;
import org.jboss.resteasy.reactive.server.jaxrs.SseImpl;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** One reader's stream over a view whose state the test sets, with a subscriber that takes messages when told. */
class LiveStreamTest {

    private static final LiveStream.Pace PACE = new LiveStream.Pace(
            Duration.ofMillis(20), Duration.ofSeconds(30), Duration.ofSeconds(30), Duration.ofHours(1));

    private final Vertx vertx = Vertx.vertx();
    private final Context context = vertx.getOrCreateContext();
    private final LiveMessages messages = new LiveMessages(
            TestConfigs.of(LiveConfig.class, Map.of("flagtally.live.bytes-max", "1000")), new SimpleMeterRegistry());
    private final SettableView view = new SettableView();
    private final RecordingDoor door = new RecordingDoor();
    private final Taker taker = new Taker();

    @AfterEach
    void close() {
        vertx.close().toCompletionStage().toCompletableFuture().join();
    }

    @Test
    void newReader_getsASnapshotThenChanges() throws Exception {
        view.state = state(1, 1);
        LiveStream stream = open(PACE, Set.of());
        taker.take(10);

        assertEquals("hello", taker.next().getComment());
        OutboundSseEvent snapshot = taker.next();
        assertEquals("snapshot", snapshot.getName());
        assertEquals(state(1, 1).data(state(1, 1).parts()), snapshot.getData());
        assertEquals("pulse", taker.next().getName());

        view.state = state(2, 1);
        stream.wake();

        OutboundSseEvent change = taker.next();
        assertEquals("change", change.getName());
        assertEquals(LivePart.id(state(2, 1).parts()), change.getId());
        assertEquals(state(2, 1).data(state(2, 1).parts().subList(1, 2)), change.getData(), "only what changed");
    }

    @Test
    void slowReader_whenHeTakesAgain_getsTheNewestOnly() throws Exception {
        view.state = state(1, 1);
        LiveStream stream = open(PACE, Set.of());
        taker.take(2);
        assertEquals("hello", taker.next().getComment());
        assertEquals("snapshot", taker.next().getName());
        long snapshot = System.nanoTime();

        for (int i = 2; i <= 500; i++) {
            view.state = state(i, i);
            stream.wake();
        }
        awaitWhatWasAsked();
        // Within the tick of the snapshot a pulse goes first.
        Awaitility.await()
                .until(() -> System.nanoTime() - snapshot > PACE.tick().toNanos());
        assertNull(taker.received.poll(), "nothing is sent to who takes nothing");
        taker.take(5);

        OutboundSseEvent change = taker.next();
        assertEquals(state(500, 500).data(state(500, 500).parts().subList(1, 3)), change.getData());
        assertEquals("pulse", taker.next().getName());
        assertNull(taker.received.poll(100, TimeUnit.MILLISECONDS), "and nothing was kept for him");
    }

    @Test
    void returningReader_getsExactlyWhatHeHasNot() throws Exception {
        Set<Long> had = LivePart.digests(LivePart.id(state(1, 1).parts()), 10);

        view.state = state(1, 7);
        open(PACE, had);
        taker.take(2);

        assertEquals("hello", taker.next().getComment());
        OutboundSseEvent change = taker.next();
        assertEquals("change", change.getName());
        assertEquals(state(1, 7).data(state(1, 7).parts().subList(2, 3)), change.getData());
    }

    @Test
    void returningReader_whoHasEverything_getsNoCounts() throws Exception {
        view.state = state(3, 3);
        open(PACE, LivePart.digests(LivePart.id(state(3, 3).parts()), 10));
        taker.take(10);

        assertEquals("hello", taker.next().getComment());
        assertEquals("pulse", taker.next().getName());
        assertNull(taker.received.poll(200, TimeUnit.MILLISECONDS));
    }

    @Test
    void changes_fasterThanTheTick_areToldOncePerTick() throws Exception {
        Duration tick = Duration.ofMillis(400);
        view.state = state(1, 1);
        LiveStream stream = open(
                new LiveStream.Pace(tick, Duration.ofSeconds(30), Duration.ofSeconds(30), Duration.ofHours(1)),
                Set.of());
        taker.take(100);
        assertEquals("hello", taker.next().getComment());
        assertEquals("snapshot", taker.next().getName());
        long snapshot = System.nanoTime();
        assertEquals("pulse", taker.next().getName());

        for (int i = 2; i <= 20; i++) {
            view.state = state(i, 1);
            stream.wake();
        }

        OutboundSseEvent change = taker.next();
        assertTrue(System.nanoTime() - snapshot > tick.toNanos() / 2, "too soon");
        assertEquals(state(20, 1).data(state(20, 1).parts().subList(1, 2)), change.getData());
        assertNull(taker.received.poll(tick.toMillis() * 2, TimeUnit.MILLISECONDS));
    }

    @Test
    void quietStream_getsCommentLines() throws Exception {
        view.state = state(1, 1);
        LiveStream stream = open(
                new LiveStream.Pace(
                        Duration.ofMillis(20), Duration.ofMillis(50), Duration.ofSeconds(30), Duration.ofHours(1)),
                Set.of());
        taker.take(100);
        for (int i = 0; i < 3; i++) {
            var unused = taker.next();
        }

        Awaitility.await().atMost(Duration.ofSeconds(20)).until(() -> {
            stream.wake();
            return !taker.received.isEmpty();
        });

        assertEquals("", taker.next().getComment());
    }

    @Test
    void readerWhoTakesNothing_isCutAfterAWhile() {
        view.state = state(1, 1);
        LiveStream stream = open(
                new LiveStream.Pace(
                        Duration.ofMillis(20), Duration.ofSeconds(30), Duration.ofMillis(100), Duration.ofHours(1)),
                Set.of());
        taker.take(1);

        Awaitility.await().atMost(Duration.ofSeconds(20)).until(() -> {
            stream.wake();
            return door.cut.get();
        });
        assertEquals(1, door.left.size());
        assertTrue(view.closed.get());
    }

    @Test
    void keyThatMayNoLongerRead_endsTheStream() {
        view.state = state(1, 1);
        LiveStream stream = open(
                new LiveStream.Pace(
                        Duration.ofMillis(20), Duration.ofMillis(50), Duration.ofSeconds(30), Duration.ofHours(1)),
                Set.of());
        taker.take(100);
        door.allowed.set(false);

        Awaitility.await().atMost(Duration.ofSeconds(20)).until(() -> {
            stream.wake();
            return taker.completed.get();
        });
        assertEquals(1, door.left.size());
    }

    @Test
    void noRoomForAMessage_itIsMadeWhenThereIsOfWhatStandsThen() throws Exception {
        LiveMessages.Recipient other = () -> {};
        messages.begin(other, 900, System.nanoTime());
        view.state = state(1, 1);
        LiveStream stream = open(PACE, Set.of());
        taker.take(1);
        assertEquals("hello", taker.next().getComment());
        taker.take(1);
        assertNull(taker.received.poll(200, TimeUnit.MILLISECONDS), "there is no room");

        view.state = state(7, 7);
        messages.end(other);

        OutboundSseEvent first = taker.next();
        assertEquals("snapshot", first.getName());
        assertEquals(state(7, 7).data(state(7, 7).parts()), first.getData());
        assertTrue(messages.bytes() > 0, "under way");
        taker.cancel();
        Awaitility.await().atMost(Duration.ofSeconds(20)).until(() -> messages.bytes() == 0);
        stream.wake();
    }

    @Test
    void readerWhoIsCut_leavesOnce() {
        LiveStream stream = open(PACE, Set.of());

        stream.cut();
        stream.cut();

        Awaitility.await().atMost(Duration.ofSeconds(20)).until(door.cut::get);
        assertEquals(1, door.left.size());
    }

    @Test
    void whatCannotBeRead_isRefusedAndTheReaderHasLeft() {
        view.failure = new UnavailableException("Redis is away.", null);
        LiveStream stream = new LiveStream(view, messages, door, PACE, new SseImpl(), context, Set.of());

        AtomicReference<String> refusal = new AtomicReference<>("");
        var unused = stream.onceShown().subscribe().with(event -> {}, failure -> refusal.set(failure.getMessage()));

        Awaitility.await().atMost(Duration.ofSeconds(20)).until(view.closed::get);
        Awaitility.await().atMost(Duration.ofSeconds(20)).until(() -> "Redis is away.".equals(refusal.get()));
        assertEquals(1, door.left.size());
    }

    @Test
    void readerWhoLeaves_leavesOnce() {
        open(PACE, Set.of());
        taker.take(100);

        taker.cancel();
        taker.cancel();

        Awaitility.await().atMost(Duration.ofSeconds(20)).until(view.closed::get);
        assertEquals(1, door.left.size());
    }

    private LiveStream open(LiveStream.Pace pace, Set<Long> had) {
        LiveStream stream = new LiveStream(view, messages, door, pace, new SseImpl(), context, had);
        stream.subscribe(taker);
        return stream;
    }

    /** Returns when the stream has done all that it was asked before. */
    private void awaitWhatWasAsked() {
        CompletableFuture<Void> done = new CompletableFuture<>();
        context.runOnContext(loop -> done.complete(null));
        done.orTimeout(20, TimeUnit.SECONDS).join();
    }

    /** A flag "a" and a flag "b" with so many events. */
    private static CountsState state(long a, long b) {
        return new CountsState(
                "default",
                "UTC",
                LocalDate.of(2026, 11, 21),
                LivePart.of("default", "[\"a\",\"b\"]"),
                List.of(shown("a", a), shown("b", b)),
                true,
                "null");
    }

    private static WatchedFlag.Shown shown(String id, long events) {
        String json = "{\"featureId\":\"" + id + "\",\"events\":" + events + "}";
        return new WatchedFlag.Shown(LivePart.of("default\n2026-11-21", json), "{\"featureId\":\"" + id + "\"}", true);
    }

    private static final class SettableView implements LiveView {
        private final AtomicBoolean closed = new AtomicBoolean();
        private volatile @Nullable State state;
        private volatile @Nullable Throwable failure;

        @Override
        public @Nullable State state() {
            return state;
        }

        @Override
        public Uni<Void> shown() {
            Throwable away = failure;
            return away == null ? Uni.createFrom().voidItem() : Uni.createFrom().failure(away);
        }

        @Override
        public void listen(Runnable listener) {}

        @Override
        public void close() {
            closed.set(true);
        }
    }

    private static final class RecordingDoor implements LiveStream.Door {
        private final AtomicBoolean allowed = new AtomicBoolean(true);
        private final AtomicBoolean cut = new AtomicBoolean();
        private final List<LiveStream> left = new CopyOnWriteArrayList<>();

        @Override
        public boolean allows() {
            return allowed.get();
        }

        @Override
        public void cut() {
            cut.set(true);
        }

        @Override
        public void left(LiveStream stream) {
            left.add(stream);
        }
    }

    private static final class Taker implements Subscriber<OutboundSseEvent> {
        private final BlockingQueue<OutboundSseEvent> received = new LinkedBlockingQueue<>();
        private final AtomicBoolean completed = new AtomicBoolean();
        private volatile @Nullable Subscription subscription;

        void take(long n) {
            Subscription to = subscription;
            if (to != null) {
                to.request(n);
            }
        }

        void cancel() {
            Subscription to = subscription;
            if (to != null) {
                to.cancel();
            }
        }

        OutboundSseEvent next() throws InterruptedException {
            OutboundSseEvent next = received.poll(20, TimeUnit.SECONDS);
            if (next == null) {
                throw new AssertionError("nothing came");
            }
            return next;
        }

        @Override
        public void onSubscribe(Subscription given) {
            subscription = given;
        }

        @Override
        public void onNext(OutboundSseEvent event) {
            received.add(event);
        }

        @Override
        public void onError(Throwable failure) {
            throw new AssertionError(failure);
        }

        @Override
        public void onComplete() {
            completed.set(true);
        }
    }
}
