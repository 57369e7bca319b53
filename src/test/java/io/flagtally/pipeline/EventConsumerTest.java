package io.flagtally.pipeline;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.flagtally.codec.BucketeerCodec;
import io.flagtally.codec.EventHeaders;
import io.flagtally.event.EnvironmentId;
import io.flagtally.event.SourceId;
import io.flagtally.platform.Availability;
import io.flagtally.platform.Availability.Work;
import io.flagtally.rollup.BucketCalendar;
import io.flagtally.testing.RandomEvents;
import io.flagtally.testing.TestConfigs;
import io.flagtally.testing.WireLines;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.smallrye.mutiny.Uni;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.ZoneOffset;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Flow.Subscription;
import java.util.function.Supplier;
import org.eclipse.microprofile.reactive.messaging.Message;
import org.eclipse.microprofile.reactive.messaging.Metadata;
import org.junit.jupiter.api.Test;

/** How much the end of the channel asks for, and what it says when the channel ends. */
class EventConsumerTest {

    private static final BucketeerCodec CODEC = new BucketeerCodec();
    private static final int MESSAGE_BYTES = 4 * 1024 * 1024;

    private final PipelineConfig config = TestConfigs.of(PipelineConfig.class, Map.of());
    private final SimpleMeterRegistry meters = new SimpleMeterRegistry();
    private final Availability availability = new Availability();
    private final RecordingSink sink = new RecordingSink();
    private final Deque<Runnable> timers = new ArrayDeque<>();
    private final EventConsumer consumer = consumer();

    private EventConsumer consumer() {
        Timers later = (delay, task) -> timers.add(task);
        PatientRetry retry = new PatientRetry(later, Duration.ofMillis(1), Duration.ofMillis(8), () -> 0);
        EventPipeline pipeline = new EventPipeline(
                config,
                Duration.ofHours(24),
                new BucketCalendar(ZoneOffset.UTC),
                new SinkFanOut(List.of(sink), retry, meters),
                letters -> Uni.createFrom().voidItem(),
                retry,
                later,
                () -> RandomEvents.NOW,
                meters);
        return new EventConsumer(pipeline, Map.of(CODEC.contentType(), CODEC), new BrokerMeters(meters), availability);
    }

    /** A backlog without end, of messages of few large events; each request gets the next one, on its own stack. */
    private final class Backlog implements Subscription {
        private final Message<byte[]> message = Message.of(largeEvents()).addMetadata(headers());
        private long asked;
        private int delivered;

        @Override
        public void request(long n) {
            asked += n;
        }

        @Override
        public void cancel() {}

        void deliverWhatIsAsked() {
            while (delivered < asked && delivered < 1_000) {
                delivered++;
                consumer.onNext(message);
                while (!timers.isEmpty()) {
                    timers.remove().run();
                }
            }
        }
    }

    @Test
    void onNext_largeEventsAndAStoreThatDoesNotAnswer_stopsAskingByBytes() {
        sink.hold();
        Backlog backlog = new Backlog();
        consumer.onSubscribe(backlog);

        backlog.deliverWhatIsAsked();

        long held = (long) backlog.delivered * MESSAGE_BYTES;
        long bound = (config.inFlightMax() + 1L) * (config.batch().bytesMax() + MESSAGE_BYTES);
        assertTrue(held <= bound, () -> held + " bytes are held, more than " + bound);
        assertEquals(backlog.delivered, backlog.asked, "it asks for no more");
        sink.releaseOne();
        assertTrue(backlog.asked > backlog.delivered, "it asks again once there is room");
    }

    @Test
    void ack_connectorThatThrows_keepsNoOtherMessageOfTheBatchWaiting() {
        List<String> settled = new ArrayList<>();
        consumer.onSubscribe(new Backlog());
        sink.hold();
        consumer.onNext(message(() -> CompletableFuture.completedFuture(null)));
        consumer.onNext(message(() -> {
            throw new IllegalStateException("the connection is closed");
        }));
        consumer.onNext(message(() -> {
            settled.add("the third");
            return CompletableFuture.completedFuture(null);
        }));

        while (sink.held() > 0 || !timers.isEmpty()) {
            if (sink.held() > 0) {
                sink.releaseOne();
            }
            while (!timers.isEmpty()) {
                timers.remove().run();
            }
        }

        assertEquals(List.of("the third"), settled);
    }

    private static Message<byte[]> message(Supplier<CompletionStage<Void>> ack) {
        byte[] payload = WireLines.payload(new RandomEvents(7).events(1));
        return Message.of(payload, Metadata.of(headers()), ack);
    }

    private static byte[] largeEvents() {
        String lines = new String(WireLines.payload(new RandomEvents(7).events(4)), StandardCharsets.UTF_8);
        return (lines + " ".repeat(MESSAGE_BYTES - lines.length())).getBytes(StandardCharsets.UTF_8);
    }

    private static EventHeaders headers() {
        return new EventHeaders(EnvironmentId.DEFAULT, SourceId.WEB, CODEC.contentType(), 4, RandomEvents.NOW);
    }

    @Test
    void onError_channelBroken_cannotWriteAndSaysSo() {
        consumer.onError(new IllegalStateException("the queue was deleted"));

        String sentence = availability.missing(Work.WRITE).getOrDefault("channel", "");
        assertTrue(sentence.contains("the queue was deleted"), sentence);
        assertTrue(sentence.contains("start the service again"), sentence);
    }
}
