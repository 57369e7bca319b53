package io.flagtally.simulation;

import io.flagtally.codec.EventCodec;
import io.flagtally.pipeline.Arrival;
import io.flagtally.pipeline.DeadLetters;
import io.flagtally.pipeline.Delivery;
import io.flagtally.pipeline.EventPipeline;
import io.flagtally.pipeline.PatientRetry;
import io.flagtally.pipeline.PipelineConfig;
import io.flagtally.pipeline.SinkFanOut;
import io.flagtally.pipeline.Timers;
import io.flagtally.rollup.BucketCalendar;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** A process that runs the real pipeline. Once dead nothing of it runs any more, but what it sent is still on its way. */
final class SimulatedProcess {

    private static final int MESSAGES_CLAIMED_MAX = 8;
    private static final Duration RETRY_MAX = Duration.ofSeconds(3);

    /** So that a day without the store takes hundreds of steps and not ten thousands. */
    private static final Duration RETRY_MAX_OF_A_DAY = Duration.ofMinutes(20);

    private final String name;
    private final SimulatedBroker broker;
    private final SimulatedConnection store;
    private final EventCodec codec;
    private final EventPipeline pipeline;
    private final VirtualTime time;
    private boolean alive = true;
    private int claimed;

    SimulatedProcess(
            String name,
            SimulatedBroker broker,
            SimulatedConnection store,
            DeadLetters deadLetters,
            EventCodec codec,
            PipelineConfig config,
            Duration window,
            BucketCalendar calendar,
            VirtualTime time,
            Faults faults) {
        this.name = name;
        this.broker = broker;
        this.store = store;
        this.codec = codec;
        this.time = time;
        Timers timers = (delay, task) -> time.after(delay, () -> {
            if (alive) {
                task.run();
            }
        });
        SimpleMeterRegistry meters = new SimpleMeterRegistry();
        PatientRetry retry = new PatientRetry(
                timers,
                Duration.ofMillis(100),
                faults.outageOfTheWindow ? RETRY_MAX_OF_A_DAY : RETRY_MAX,
                () -> faults.below(1000) / 1000.0);
        pipeline = new EventPipeline(
                config,
                window,
                calendar,
                new SinkFanOut(List.of(store), retry, meters),
                deadLetters,
                retry,
                timers,
                time,
                meters);
        pipeline.onRoom(broker::deliver);
    }

    boolean asks() {
        return alive && claimed < MESSAGES_CLAIMED_MAX && pipeline.hasRoom();
    }

    void claim() {
        claimed++;
    }

    void receive(SimulatedBroker.Stored message, boolean redelivered) {
        if (!alive) {
            return;
        }
        claimed--;
        Instant receivedAt = time.instant();
        pipeline.accept(new Delivery(
                message.payload,
                message.headers,
                new Arrival(redelivered, Optional.empty(), Map.of()),
                codec,
                new Delivery.Acknowledgement() {
                    @Override
                    public void ack() {
                        if (alive) {
                            broker.acknowledge(message, redelivered, receivedAt, SimulatedProcess.this);
                        }
                    }

                    @Override
                    public void nack(Throwable reason) {
                        throw new AssertionError("the pipeline gave up", reason);
                    }
                }));
        broker.deliver();
    }

    boolean alive() {
        return alive;
    }

    SimulatedConnection store() {
        return store;
    }

    void die() {
        alive = false;
        broker.leave(this);
    }

    @Override
    public String toString() {
        return name;
    }
}
