package io.flagtally.series;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.flagtally.platform.error.ErrorCode;
import io.flagtally.platform.error.RefusedException;
import io.flagtally.platform.error.UnavailableException;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.smallrye.mutiny.Uni;
import io.smallrye.mutiny.helpers.test.UniAssertSubscriber;
import io.smallrye.mutiny.subscription.UniEmitter;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class SharedReadsTest {

    private final SimpleMeterRegistry meters = new SimpleMeterRegistry();
    private final SharedReads<String, Integer> reads = new SharedReads<>("test", 2, Duration.ofSeconds(60), meters);
    private final List<UniEmitter<? super Integer>> started = new ArrayList<>();

    @Test
    void read_arrivesDuringARead_joinsTheNextOne() {
        UniAssertSubscriber<Integer> first = read("a");
        UniAssertSubscriber<Integer> second = read("a");
        UniAssertSubscriber<Integer> third = read("a");
        assertEquals(1, started.size());

        started.get(0).complete(10);

        first.assertCompleted().assertItem(10);
        second.assertNotTerminated();
        assertEquals(2, started.size());
        started.get(1).complete(20);
        second.assertCompleted().assertItem(20);
        third.assertCompleted().assertItem(20);
        assertEquals(2, started.size());
        assertEquals(0, reads.size());
    }

    @Test
    void read_arrivesDuringTheSecondRead_startsAThird() {
        read("a");
        read("a");
        started.get(0).complete(1);
        UniAssertSubscriber<Integer> late = read("a");

        started.get(1).complete(2);
        started.get(2).complete(3);

        late.assertCompleted().assertItem(3);
    }

    @Test
    void read_fails_onlyItsOwnReadersHearOfIt() {
        UniAssertSubscriber<Integer> first = read("a");
        UniAssertSubscriber<Integer> second = read("a");

        started.get(0).fail(new UnavailableException("away", null));
        started.get(1).complete(2);

        first.assertFailedWith(UnavailableException.class, "away");
        second.assertCompleted().assertItem(2);
        assertEquals(0, reads.size());
    }

    @Test
    void read_readerGivesUp_othersStillGetTheAnswer() {
        read("a").cancel();
        UniAssertSubscriber<Integer> second = read("a");
        UniAssertSubscriber<Integer> third = read("a");
        second.cancel();

        started.get(0).complete(1);
        started.get(1).complete(2);

        third.assertCompleted().assertItem(2);
        assertEquals(0, reads.size());
    }

    @Test
    void read_supplierThrows_failsAndFreesTheKey() {
        UniAssertSubscriber<Integer> thrown = reads.read("a", () -> {
                    throw new IllegalStateException("broken");
                })
                .subscribe()
                .withSubscriber(UniAssertSubscriber.create());

        thrown.assertFailedWith(IllegalStateException.class, "broken");
        assertEquals(0, reads.size());
    }

    @Test
    void read_tooManyKeys_refusesTheNewKeyOnly() {
        read("a");
        read("b");

        RefusedException refused = assertThrows(
                RefusedException.class,
                () -> reads.read("c", this::start).await().indefinitely());
        UniAssertSubscriber<Integer> equal = read("b");

        assertEquals(ErrorCode.RESOURCE_EXHAUSTED, refused.code());
        equal.assertNotTerminated();
        started.get(0).complete(1);
        read("c").assertNotTerminated();
    }

    @Test
    void read_takesTooLong_failsAndFreesTheKey() {
        SharedReads<String, Integer> impatient = new SharedReads<>("late", 2, Duration.ofMillis(10), meters);

        UnavailableException late = assertThrows(
                UnavailableException.class,
                () -> impatient.read("a", this::start).await().atMost(Duration.ofSeconds(60)));

        assertEquals("The store did not answer within 10 ms.", late.getMessage());
        assertEquals(0, impatient.size());
        assertEquals(
                1,
                meters.get("flagtally.series.reads")
                        .tags("kind", "late", "outcome", "failed")
                        .timer()
                        .count());
    }

    private UniAssertSubscriber<Integer> read(String key) {
        return reads.read(key, this::start).subscribe().withSubscriber(UniAssertSubscriber.create());
    }

    private Uni<Integer> start() {
        return Uni.createFrom().emitter(started::add);
    }
}
