package io.flagtally.pipeline;

import io.flagtally.codec.EventCodec;
import io.flagtally.platform.Availability;
import io.flagtally.platform.Availability.Work;
import io.flagtally.platform.EventTally;
import io.flagtally.platform.config.BrokerConfig;
import io.flagtally.platform.config.TimeConfig;
import io.flagtally.rollup.BucketCalendar;
import io.micrometer.core.instrument.MeterRegistry;
import io.quarkus.arc.All;
import io.quarkus.runtime.ShutdownEvent;
import io.vertx.core.Vertx;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Observes;
import jakarta.inject.Inject;
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Flow.Subscriber;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.eclipse.microprofile.reactive.messaging.Channel;
import org.eclipse.microprofile.reactive.messaging.Emitter;
import org.eclipse.microprofile.reactive.messaging.Incoming;
import org.eclipse.microprofile.reactive.messaging.Message;
import org.eclipse.microprofile.reactive.messaging.OnOverflow;
import org.jboss.logging.Logger;

/** Puts the pipeline together from what is configured, binds it to the channel, and drains it at the end. */
@ApplicationScoped
public class Pipeline {

    /** The incoming channel. */
    public static final String CHANNEL = "events";

    /** The outgoing channel of events at fault. */
    public static final String DEAD_LETTERS = "dead-letters-out";

    private static final Logger LOG = Logger.getLogger(Pipeline.class);

    private final PipelineConfig config;
    private final Availability availability;
    private final EventPipeline pipeline;
    private final EventConsumer consumer;

    @Inject
    @SuppressWarnings("TooManyParameters")
    Pipeline(
            PipelineConfig config,
            DeduplicationConfig deduplication,
            TimeConfig time,
            @All List<BatchSink> sinks,
            @All List<EventCodec> codecs,
            DeadLetters table,
            @Channel(DEAD_LETTERS) @OnOverflow(OnOverflow.Strategy.UNBOUNDED_BUFFER) Emitter<byte[]> place,
            BrokerConfig broker,
            Availability availability,
            Vertx vertx,
            InstantSource clock,
            EventTally tally,
            MeterRegistry meters) {
        this.config = config;
        this.availability = availability;
        DeadLetters deadLetters = broker.deadLetterTo().isPresent()
                ? new DeadLetterPublication(table, place, broker.message().bytesMax())
                : table;
        Timers timers = (delay, task) -> vertx.setTimer(Math.max(1, delay.toMillis()), id -> task.run());
        PatientRetry retry = new PatientRetry(
                timers,
                config.retry().delayMin(),
                config.retry().delayMax(),
                () -> ThreadLocalRandom.current().nextDouble());
        pipeline = new EventPipeline(
                config,
                deduplication.window(),
                new BucketCalendar(time.zone()),
                new SinkFanOut(chosen(sinks), retry, meters).tally(tally, false),
                deadLetters,
                retry,
                timers,
                clock,
                meters);
        pipeline.tally(tally);
        consumer = new EventConsumer(
                pipeline,
                codecs.stream().collect(Collectors.toMap(EventCodec::contentType, Function.identity())),
                new BrokerMeters(meters),
                availability);
    }

    @Incoming(CHANNEL)
    public Subscriber<Message<byte[]>> consume() {
        return consumer;
    }

    void drain(@Observes ShutdownEvent stopping) throws InterruptedException {
        availability.lost(
                Work.ACCEPT, "process", "the service is shutting down; another instance or a restart takes over");
        consumer.stopAsking();
        Duration patience = config.drainTimeout();
        try {
            pipeline.drain().toCompletableFuture().get(patience.toMillis(), TimeUnit.MILLISECONDS);
        } catch (TimeoutException | ExecutionException e) {
            LOG.warnf(
                    "Stopped with %d events not written after %s; none of them was acknowledged",
                    pipeline.outstandingEvents(), patience);
        }
    }

    private List<BatchSink> chosen(List<BatchSink> sinks) {
        Map<String, BatchSink> byName = sinks.stream().collect(Collectors.toMap(BatchSink::name, Function.identity()));
        return config.sinks().stream()
                .map(name -> {
                    BatchSink sink = byName.get(name);
                    if (sink == null) {
                        throw new IllegalStateException("flagtally.pipeline.sinks names " + name
                                + ", but there is only " + String.join(", ", byName.keySet()));
                    }
                    return sink;
                })
                .toList();
    }
}
