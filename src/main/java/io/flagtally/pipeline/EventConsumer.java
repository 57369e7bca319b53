package io.flagtally.pipeline;

import io.flagtally.codec.EventCodec;
import io.flagtally.codec.EventHeaders;
import io.flagtally.platform.Availability;
import io.flagtally.platform.Availability.Work;
import io.smallrye.mutiny.Uni;
import java.util.Map;
import java.util.concurrent.Flow.Subscriber;
import java.util.concurrent.Flow.Subscription;
import org.eclipse.microprofile.reactive.messaging.Message;
import org.jboss.logging.Logger;
import org.jspecify.annotations.Nullable;

/**
 * The end of the channel {@code events}: hands each message to the pipeline, and asks for the next one while the
 * pipeline has room. Which broker feeds the channel it does not know.
 */
final class EventConsumer implements Subscriber<Message<byte[]>> {

    private static final Logger LOG = Logger.getLogger(EventConsumer.class);

    private final EventPipeline pipeline;
    private final Map<String, EventCodec> codecs;
    private final BrokerMeters meters;
    private final Availability availability;
    private final Object demandLock = new Object();
    private @Nullable Subscription subscription;
    private boolean asked;
    private boolean draining;

    /**
     * @param codecs by content type
     * @param availability told when the channel has failed
     */
    EventConsumer(
            EventPipeline pipeline, Map<String, EventCodec> codecs, BrokerMeters meters, Availability availability) {
        this.meters = meters;
        this.availability = availability;
        this.pipeline = pipeline;
        this.codecs = codecs;
        pipeline.onRoom(this::ask);
    }

    @Override
    public void onSubscribe(Subscription subscription) {
        synchronized (demandLock) {
            this.subscription = subscription;
        }
        ask();
    }

    @Override
    public void onNext(Message<byte[]> message) {
        synchronized (demandLock) {
            asked = false;
        }
        EventHeaders headers = message.getMetadata(EventHeaders.class)
                .orElseThrow(() -> new IllegalStateException("a message without EventHeaders reached the consumer"));
        Arrival arrival = message.getMetadata(Arrival.class).orElse(Arrival.IN_PROCESS);
        meters.taken(arrival);
        pipeline.accept(new Delivery(
                message.getPayload(),
                headers,
                arrival,
                codecs.get(headers.contentType()),
                new Settling(message, meters)));
        ask();
    }

    @Override
    public void onError(Throwable failure) {
        LOG.error("The channel of events ended with a failure", failure);
        availability.lost(
                Work.WRITE,
                "channel",
                "no more events come from the broker, for the channel " + Pipeline.CHANNEL + " failed (" + failure
                        + "); mend what that names, then start the service again");
    }

    @Override
    public void onComplete() {
        LOG.debug("The channel of events has ended");
    }

    /** Asks for no more messages. */
    void stopAsking() {
        synchronized (demandLock) {
            draining = true;
        }
    }

    private void ask() {
        Subscription from;
        synchronized (demandLock) {
            if (asked || draining || subscription == null || !pipeline.hasRoom()) {
                return;
            }
            asked = true;
            from = subscription;
        }
        from.request(1);
    }

    private record Settling(Message<byte[]> message, BrokerMeters meters) implements Delivery.Acknowledgement {
        @Override
        public void ack() {
            meters.settled();
            Uni.createFrom()
                    .completionStage(() -> message.ack())
                    .subscribe()
                    .with(done -> {}, f -> failed("acknowledge", f));
        }

        @Override
        public void nack(Throwable reason) {
            meters.settled();
            Uni.createFrom()
                    .completionStage(() -> message.nack(reason))
                    .subscribe()
                    .with(done -> {}, f -> failed("refuse", f));
        }

        private static void failed(String what, Throwable failure) {
            LOG.warnf("Could not %s a message; the broker may deliver it again: %s", what, failure);
        }
    }
}
