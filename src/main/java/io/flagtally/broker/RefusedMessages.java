package io.flagtally.broker;

import io.flagtally.pipeline.Timers;
import io.flagtally.platform.Availability;
import io.flagtally.platform.Availability.Work;
import io.quarkus.runtime.ShutdownEvent;
import io.smallrye.mutiny.Multi;
import io.smallrye.reactive.messaging.PublisherDecorator;
import io.vertx.core.Vertx;
import jakarta.annotation.Priority;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Observes;
import jakarta.inject.Inject;
import java.time.InstantSource;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicBoolean;
import org.eclipse.microprofile.reactive.messaging.Message;
import org.jboss.logging.Logger;

/**
 * What becomes of messages that could not be counted, for another reason than a store that is away: they are
 * {@linkplain RefusedAgain delivered again}, and the health of consuming says so. In process they are the sender's.
 */
@ApplicationScoped
class RefusedMessages implements PublisherDecorator {

    private static final Logger LOG = Logger.getLogger(RefusedMessages.class);
    private static final String REFUSED = "refused";

    /** After the pipeline has drained, before the connectors close. */
    private static final int AFTER_THE_PIPELINE = 2900;

    private final Channels channels;
    private final Availability availability;
    private final InstantSource clock;
    private final Timers timers;
    private final List<RefusedAgain> open = new CopyOnWriteArrayList<>();

    @Inject
    RefusedMessages(Channels channels, Availability availability, InstantSource clock, Vertx vertx) {
        this(
                channels,
                availability,
                clock,
                (delay, task) -> vertx.setTimer(Math.max(1, delay.toMillis()), id -> task.run()));
    }

    RefusedMessages(Channels channels, Availability availability, InstantSource clock, Timers timers) {
        this.channels = channels;
        this.availability = availability;
        this.clock = clock;
        this.timers = timers;
    }

    /** Around what {@link IncomingBridge} made of the messages. */
    @Override
    public int getPriority() {
        return DEFAULT_PRIORITY + 100;
    }

    @Override
    public Multi<? extends Message<?>> decorate(
            Multi<? extends Message<?>> messages, List<String> channel, boolean isConnector) {
        if (!isConnector
                || !channel.get(0).equals(Channels.EVENTS)
                || channels.carrier(channels.incoming(Channels.EVENTS)).isEmpty()) {
            return messages;
        }
        RefusedAgain again = new RefusedAgain(messages, timers, clock, new Telling());
        open.add(again);
        return Multi.createFrom().publisher(again);
    }

    void stop(@Observes @Priority(AFTER_THE_PIPELINE) ShutdownEvent stopping) {
        open.forEach(RefusedAgain::stop);
    }

    private final class Telling implements RefusedAgain.Listener {

        private final AtomicBoolean told = new AtomicBoolean();

        @Override
        public void refused(int waiting, Throwable reason) {
            String sentence = "%d messages could not be counted and are tried again, others wait in the broker: %s"
                    .formatted(waiting, reason);
            availability.lost(Work.WRITE, REFUSED, sentence);
            if (told.compareAndSet(false, true)) {
                LOG.warn(sentence);
            }
        }

        @Override
        public void settled() {
            availability.regained(Work.WRITE, REFUSED);
            if (told.compareAndSet(true, false)) {
                LOG.info("The messages that could not be counted have been");
            }
        }
    }
}
