package io.flagtally.series.live;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.datatype.jsr310.JavaTimeModule;
import io.flagtally.event.EnvironmentId;
import io.flagtally.event.FlagId;
import io.flagtally.platform.BrokerInUse;
import io.flagtally.platform.config.TimeConfig;
import io.flagtally.platform.error.UnavailableException;
import io.flagtally.rollup.TimeBucket;
import io.flagtally.testing.TestConfigs;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.smallrye.mutiny.Uni;
import io.vertx.core.Vertx;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import org.awaitility.Awaitility;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** What is watched over a reader whose counts grow by one at each read, and which the test may hold up. */
class LiveCountsTest {

    private static final Duration PATIENCE = Duration.ofSeconds(30);
    private static final EnvironmentId SHOP = new EnvironmentId("shop");
    private static final EnvironmentId OTHER = new EnvironmentId("other");
    private static final FlagId SPOILT = new FlagId("spoilt");

    private final Vertx vertx = Vertx.vertx();
    private final GrowingReader reader = new GrowingReader();
    private final LiveCounts counts = new LiveCounts(
            reader,
            new BrokerInUse(),
            TestConfigs.of(LiveConfig.class, Map.of("flagtally.live.tick", "20ms")),
            TestConfigs.of(TimeConfig.class, Map.of()),
            () -> LiveFlags.DAY.plusSeconds(3_600),
            new ObjectMapper().registerModule(new JavaTimeModule()),
            new SimpleMeterRegistry(),
            vertx);

    @AfterEach
    void close() {
        vertx.close().toCompletionStage().toCompletableFuture().join();
    }

    @Test
    void view_openedWhileOthersWatch_showsNothingReadBefore() {
        LiveView first = open();
        Awaitility.await().atMost(PATIENCE).until(() -> first.state() != null);
        CompletableFuture<Void> held = reader.hold();
        int reads = reader.reads.get();

        LiveView second = open();

        assertNotNull(first.state());
        assertNull(second.state(), "its reader may have seen more at another instance");
        held.complete(null);
        Awaitility.await().atMost(PATIENCE).until(() -> second.state() != null);
        assertTrue(reader.reads.get() > reads, "the read that ran when it was opened does not count");
        first.close();
        second.close();
    }

    @Test
    void reads_whoeverWatches_areOneATick() {
        List<LiveView> views = List.of(open(), open(), open());
        Awaitility.await().atMost(PATIENCE).until(() -> views.stream().allMatch(view -> view.state() != null));

        assertEquals(List.of(LiveFlags.FLAG), reader.lastRead);
        views.forEach(LiveView::close);
    }

    @Test
    void reads_whenNobodyWatches_end() {
        LiveView view = open();
        LiveView clock = counts.watch(OTHER, List.of(LiveFlags.FLAG));
        clock.listen(() -> {});
        Awaitility.await().atMost(PATIENCE).until(() -> view.state() != null);

        view.close();
        awaitReads(OTHER, 3);
        int reads = reader.reads(SHOP);
        awaitReads(OTHER, 20);

        assertEquals(reads, reader.reads(SHOP));
        clock.close();
    }

    private void awaitReads(EnvironmentId environment, int more) {
        int until = reader.reads(environment) + more;
        Awaitility.await().atMost(PATIENCE).until(() -> reader.reads(environment) >= until);
    }

    @Test
    void reads_thatFail_leaveTheLastCountsAndSaySo() {
        LiveView view = open();
        Awaitility.await().atMost(PATIENCE).until(() -> view.state() != null);

        reader.fails = true;

        Awaitility.await().atMost(PATIENCE).until(() -> pulse(view).contains("\"readable\":false"));
        LiveView.State state = view.state();
        assertNotNull(state);
        assertEquals(2, state.parts().size(), "the list and the flag");
        reader.fails = false;
        Awaitility.await().atMost(PATIENCE).until(() -> pulse(view).contains("\"readable\":true"));
        view.close();
    }

    @Test
    void view_openedWhileReadsFail_isRefused() {
        reader.fails = true;
        LiveView view = counts.watch(SHOP, List.of(LiveFlags.FLAG));

        UnavailableException refusal = assertThrows(
                UnavailableException.class, () -> view.shown().await().atMost(PATIENCE));

        assertTrue(String.valueOf(refusal.getMessage()).contains("Redis is away."), refusal::getMessage);
        reader.fails = false;
        LiveView later = open();
        later.shown().await().atMost(PATIENCE);
        assertNotNull(later.state());
        view.close();
        later.close();
    }

    @Test
    void environmentThatFailsOrIsSlow_leavesTheOtherAlone() {
        reader.failing = OTHER;
        LiveView good = open();
        LiveView bad = counts.watch(OTHER, List.of(LiveFlags.FLAG));
        bad.listen(() -> {});
        good.shown().await().atMost(PATIENCE);
        long fifty = events(good) + 50;
        Awaitility.await().atMost(PATIENCE).until(() -> {
            assertTrue(pulse(good).contains("\"readable\":true"), "the good one is not said to fail");
            return events(good) > fifty;
        });
        assertNull(bad.state());

        reader.failing = null;
        reader.stuck = OTHER;
        long later = events(good) + 50;
        Awaitility.await().atMost(PATIENCE).until(() -> events(good) > later);
        good.close();
        bad.close();
    }

    @Test
    void flagThatCannotBeRead_leavesItsNeighboursCurrent() {
        reader.spoilt = SPOILT;
        LiveView good = open();
        LiveView bad = counts.watch(SHOP, List.of(SPOILT));
        bad.listen(() -> {});
        LiveView both = counts.watch(SHOP, List.of(LiveFlags.FLAG, SPOILT));
        both.listen(() -> {});
        for (LiveView view : List.of(good, bad, both)) {
            view.shown().await().atMost(PATIENCE);
        }

        assertTrue(pulse(good).contains("\"readable\":true"), () -> pulse(good));
        assertTrue(pulse(bad).contains("\"readable\":false"), () -> pulse(bad));
        assertTrue(pulse(both).contains("\"readable\":false"), () -> pulse(both));
        assertTrue(events(both) > 0, "what can be read of them is shown");

        reader.spoilt = null;
        Awaitility.await().atMost(PATIENCE).until(() -> pulse(bad).contains("\"readable\":true"));
        List.of(good, bad, both).forEach(LiveView::close);
    }

    @Test
    void readersWhoWantTheSame_areShownTheSameState() {
        reader.busiest = List.of(LiveFlags.FLAG);
        LiveView one = busiest(5);
        LiveView other = busiest(5);
        one.shown().await().atMost(PATIENCE);
        other.shown().await().atMost(PATIENCE);
        CompletableFuture<Void> held = reader.hold();

        LiveView.State state = one.state();
        assertNotNull(state);
        assertSame(state, other.state());
        assertSame(state.data(state.parts()), state.data(List.copyOf(state.parts())), "and one text");
        held.complete(null);
        one.close();
        other.close();
    }

    private LiveView busiest(int top) {
        LiveView view = counts.watchBusiest(SHOP, top);
        view.listen(() -> {});
        return view;
    }

    private static long events(LiveView view) {
        LiveView.State state = view.state();
        return state == null
                ? 0
                : Long.parseLong(state.parts().get(1).json().replaceAll(".*?\"events\":(\\d+).*", "$1"));
    }

    private static String pulse(LiveView view) {
        LiveView.State state = view.state();
        return state == null ? "" : String.valueOf(state.pulse());
    }

    private LiveView open() {
        LiveView view = counts.watch(SHOP, List.of(LiveFlags.FLAG));
        view.listen(new AtomicInteger()::incrementAndGet);
        return view;
    }

    private static final class GrowingReader implements LiveReader {
        private final AtomicInteger reads = new AtomicInteger();
        private final Map<EnvironmentId, Integer> readsOf = new ConcurrentHashMap<>();
        private volatile CompletableFuture<Void> gate = CompletableFuture.completedFuture(null);
        private volatile List<FlagId> lastRead = List.of();
        private volatile boolean fails;
        private volatile @Nullable FlagId spoilt;
        private volatile @Nullable EnvironmentId failing;
        private volatile @Nullable EnvironmentId stuck;
        private volatile List<FlagId> busiest = List.of();

        int reads(EnvironmentId environment) {
            return readsOf.getOrDefault(environment, 0);
        }

        /** Holds up reads until the future is completed; returns when one is held up. */
        CompletableFuture<Void> hold() {
            CompletableFuture<Void> held = new CompletableFuture<>();
            int before = reads.get();
            gate = held;
            Awaitility.await().atMost(PATIENCE).until(() -> reads.get() > before);
            return held;
        }

        @Override
        public Uni<List<LiveFlag>> read(EnvironmentId environment, List<FlagId> flags, TimeBucket day) {
            lastRead = flags;
            int read = reads.incrementAndGet();
            readsOf.merge(environment, 1, Integer::sum);
            CompletableFuture<Void> open = gate;
            if (environment.equals(stuck)) {
                return Uni.createFrom().nothing();
            }
            if (fails || environment.equals(failing)) {
                return Uni.createFrom().failure(new UnavailableException("Redis is away.", null));
            }
            return Uni.createFrom()
                    .completionStage(open)
                    .map(opened -> flags.stream()
                            .filter(flag -> !flag.equals(spoilt))
                            .map(flag -> LiveFlags.flag(
                                    flag, LiveFlags.DAY.plusSeconds(read), LiveFlags.variation("blue", read, read)))
                            .toList());
        }

        @Override
        public Uni<List<FlagId>> busiest(EnvironmentId environment, TimeBucket day, int limit) {
            return Uni.createFrom().item(busiest);
        }
    }
}
