package io.flagtally.broker;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.flagtally.pipeline.Arrival;
import io.flagtally.platform.Availability;
import io.flagtally.platform.Availability.Work;
import io.quarkus.runtime.ShutdownEvent;
import io.smallrye.config.PropertiesConfigSource;
import io.smallrye.config.SmallRyeConfigBuilder;
import io.smallrye.mutiny.Multi;
import io.smallrye.mutiny.helpers.test.AssertSubscriber;
import io.smallrye.mutiny.operators.multi.processors.UnicastProcessor;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicLong;
import org.eclipse.microprofile.reactive.messaging.Message;
import org.eclipse.microprofile.reactive.messaging.Metadata;
import org.junit.jupiter.api.Test;

/** A message that could not be counted comes again, for itself and after a pause, and the broker hears nothing of it. */
class RefusedAgainTest {

    private static final IllegalStateException REASON = new IllegalStateException("the counters are odd");
    private static final Instant START = Instant.parse("2026-11-21T06:00:00Z");
    private static final Duration A_DAY = Duration.ofDays(1);
    private static final Map<String, String> HEADERS = Map.of("flagtally-environment", "production");

    private final SteppedTimers time = new SteppedTimers();
    private final Availability availability = new Availability();
    private final UnicastProcessor<Message<?>> broker = UnicastProcessor.create();
    private final AtomicLong asked = new AtomicLong();
    private final List<String> told = new ArrayList<>();
    private final RefusedMessages refused =
            new RefusedMessages(channels("flagtally-aws"), availability, () -> START.plus(time.now()), time);
    private final AssertSubscriber<Message<?>> consumer = new AssertSubscriber<>();

    @Test
    void refused_comesAgainAfterAPause_withTheTimeOfItsFirst() {
        subscribe(10);
        deliver("a");

        refuse(0);
        time.pass(RefusedAgain.PAUSE_MIN.minusMillis(1));
        assertEquals(List.of("a"), delivered());
        time.pass(Duration.ofMillis(1));

        assertEquals(List.of("a", "a"), delivered());
        assertEquals(new Arrival(false, Optional.of("odd"), HEADERS), arrival(0));
        assertEquals(new Arrival(false, Optional.of("odd"), HEADERS).triedSince(START), arrival(1));
        refuse(1);
        time.pass(A_DAY);
        assertEquals(arrival(1), arrival(2), "the broker did not deliver it again, and the first time stays the first");
        acknowledge(2);
        assertEquals(List.of("a done"), told);
    }

    @Test
    void refused_againAndAgain_isTriedWithoutEndAtGrowingDistances() {
        subscribe(1_000_000);
        deliver("a");

        int times = 0;
        for (Duration passed = Duration.ZERO; passed.compareTo(A_DAY) < 0; passed = passed.plusSeconds(10)) {
            while (consumer.getItems().size() > times) {
                refuse(times++);
            }
            time.pass(Duration.ofSeconds(10));
        }

        long perDay = A_DAY.dividedBy(RefusedAgain.PAUSE_MAX);
        assertTrue(times > perDay / 2 && times < perDay + 20, "tried " + times + " times");
        assertEquals(List.of(), told, "the broker was told, which may count deliveries");
    }

    @Test
    void refused_oneOfMany_theOthersAreSettledOneByOne() {
        subscribe(1_000);
        deliver("a", "at fault", "b", "c");
        for (int i = 0; i < 4; i++) {
            refuse(i);
        }

        Set<Integer> settled = new HashSet<>();
        for (int i = 4; i < 30; i++) {
            time.pass(A_DAY);
            assertEquals(i + 1, delivered().size(), "one at a time");
            if (delivered().get(i).equals("at fault")) {
                refuse(i);
            } else {
                acknowledge(i);
                boolean unused = settled.add(i);
            }
        }

        assertEquals(List.of("a done", "b done", "c done"), told);
    }

    @Test
    void refused_nothingNewIsAskedForUntilItIsSettled() {
        subscribe(1);
        deliver("a");
        refuse(0);
        consumer.request(1);

        assertEquals(1, asked.get());
        time.pass(A_DAY);
        assertEquals(List.of("a", "a"), delivered());
        consumer.request(1);
        assertEquals(1, asked.get());

        acknowledge(1);
        assertEquals(2, asked.get());
        deliver("b");
        assertEquals(List.of("a", "a", "b"), delivered());
    }

    /** The consumer had asked for more when it refused, and nothing more comes. */
    @Test
    void refused_whileTheBrokerHasNothing_comesAgainAndWhatComesLaterWaits() {
        subscribe(2);
        deliver("a");
        refuse(0);
        time.pass(A_DAY);
        assertEquals(List.of("a", "a"), delivered());

        deliver("b");
        assertEquals(List.of("a", "a"), delivered(), "nobody asked for it any more");
        acknowledge(1);
        consumer.request(1);

        assertEquals(List.of("a", "a", "b"), delivered());
        assertEquals(2, asked.get());
    }

    @Test
    void refused_healthOfConsumingSaysSoUntilAllIsSettled() {
        subscribe(10);
        deliver("a", "b");
        refuse(0);
        refuse(1);
        String sentence = availability.missing(Work.WRITE).get("refused");
        assertTrue(String.valueOf(sentence).contains("the counters are odd"), sentence);

        time.pass(A_DAY);
        acknowledge(2);
        assertFalse(availability.missing(Work.WRITE).isEmpty());
        time.pass(A_DAY);
        acknowledge(3);

        assertEquals(Map.of(), availability.missing(Work.WRITE));
    }

    @Test
    void stop_leavesWhatIsRefusedToTheBroker() {
        subscribe(10);
        deliver("waits", "is tried later");
        refuse(0);

        refused.stop(new ShutdownEvent());
        refuse(1);
        time.pass(A_DAY);

        assertEquals(List.of("waits left", "is tried later left"), told);
        assertEquals(2, delivered().size());
    }

    @Test
    void decorate_inProcessAndOtherChannels_passMessagesAsTheyAre() {
        Multi<Message<?>> messages = Multi.createFrom().empty();

        assertEquals(messages, refused.decorate(messages, List.of("events"), false));
        assertEquals(messages, refused.decorate(messages, List.of("other"), true));
        assertEquals(
                messages,
                new RefusedMessages(channels("flagtally-memory"), availability, InstantSource.system(), time)
                        .decorate(messages, List.of("events"), true));
        assertTrue(
                refused.getPriority()
                        > new IncomingBridge(channels("flagtally-memory"), InstantSource.system()).getPriority(),
                "it marks what the bridge has read");
    }

    private void subscribe(long demand) {
        Multi<Message<?>> messages = broker.onRequest().invoke(asked::addAndGet);
        Multi.createFrom()
                .<Message<?>>publisher(cast(refused.decorate(messages, List.of("events"), true)))
                .subscribe()
                .withSubscriber(consumer);
        consumer.request(demand);
    }

    @SuppressWarnings("unchecked")
    private static Multi<Message<?>> cast(Multi<? extends Message<?>> messages) {
        return (Multi<Message<?>>) messages;
    }

    private void deliver(String... bodies) {
        for (String body : bodies) {
            broker.onNext(Message.of(
                    body,
                    Metadata.of(new Arrival(false, Optional.of("odd"), HEADERS)),
                    () -> tell(body + " done"),
                    reason -> tell(body + " left")));
        }
    }

    private CompletableFuture<Void> tell(String what) {
        told.add(what);
        return CompletableFuture.completedFuture(null);
    }

    private List<String> delivered() {
        return consumer.getItems().stream()
                .map(message -> String.valueOf(message.getPayload()))
                .toList();
    }

    private Arrival arrival(int index) {
        return consumer.getItems().get(index).getMetadata(Arrival.class).orElseThrow();
    }

    private void refuse(int index) {
        consumer.getItems().get(index).nack(REASON).toCompletableFuture().join();
    }

    private void acknowledge(int index) {
        consumer.getItems().get(index).ack().toCompletableFuture().join();
    }

    private static Channels channels(String connector) {
        Map<String, String> keys = Map.of("mp.messaging.incoming.events.connector", connector);
        return new Channels(
                new SmallRyeConfigBuilder()
                        .withSources(new PropertiesConfigSource(keys, "test", 100))
                        .build(),
                List.of(new LeasedCarrier("flagtally-aws")));
    }
}
