package io.flagtally.pipeline;

import io.flagtally.event.FlagEvent;
import io.flagtally.platform.EventTally;
import io.flagtally.platform.error.ErrorCode;
import io.flagtally.rollup.BucketCalendar;
import io.flagtally.rollup.EventBatch;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.DistributionSummary;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
import io.smallrye.mutiny.Uni;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.stream.Collectors;
import org.jboss.logging.Logger;
import org.jspecify.annotations.Nullable;

/**
 * Gathers deliveries into batches, has them written, puts events at fault aside, and then acknowledges.
 *
 * <p><b>Batching</b> follows the load: with no batch in flight a delivery is written at once, unless another batch
 * was begun within the pace; while batches are in flight the next one gathers until it is full, its linger has passed,
 * or they end. So a quiet service answers quickly and a busy one writes large batches.
 *
 * <p><b>Bounds</b>: {@link #hasRoom} turns false when the gathering batch is full, of events or of bytes, and as many as
 * allowed are in flight; the caller then stops taking messages until {@code onRoom} runs.
 *
 * <p><b>The window</b>: what is not written when the window has passed since it may have been written first is put aside,
 * for it would not be recognised any more; its neighbours are written.
 *
 * <p><b>Threads</b>: any. The state is guarded by one lock, held only while a delivery is folded.
 */
public final class EventPipeline {

    private static final Logger LOG = Logger.getLogger(EventPipeline.class);

    /** The events that gather for the next batch, and the messages they came in. */
    private static final class Gathering {
        private final BucketCalendar calendar;
        private final List<Delivery> deliveries = new ArrayList<>();
        private EventBatch batch;
        private Instant inDoubtSince = Instant.MAX;
        private int weight;
        private long bytes;
        private boolean lingered;

        Gathering(BucketCalendar calendar) {
            this.calendar = calendar;
            batch = new EventBatch(calendar);
        }

        void add(Delivery delivery) {
            fold(delivery);
            deliveries.add(delivery);
            weight += delivery.weight();
            bytes += delivery.bytes();
        }

        private void fold(Delivery delivery) {
            delivery.addTo(batch);
            if (delivery.events() > delivery.faults() && delivery.inDoubtSince().isBefore(inDoubtSince)) {
                inDoubtSince = delivery.inDoubtSince();
            }
        }

        /** Takes the messages out of the batch that have outlived {@code window}. */
        void condemnOutlived(Duration window, Instant now) {
            batch = new EventBatch(calendar);
            inDoubtSince = Instant.MAX;
            for (Delivery delivery : deliveries) {
                if (delivery.outlived(window, now)) {
                    delivery.condemn(window);
                }
                fold(delivery);
            }
        }

        boolean outlived(Duration window, Instant now) {
            return inDoubtSince.isBefore(now.minus(window));
        }

        boolean isEmpty() {
            return deliveries.isEmpty();
        }
    }

    private final BucketCalendar calendar;
    private final int sizeMax;
    private final long bytesMax;
    private final Duration linger;
    private final Duration pace;
    private final int inFlightMax;
    private final Duration window;
    private final SinkFanOut sinks;
    private final DeadLetters deadLetters;
    private final PatientRetry retry;
    private final Timers timers;
    private final InstantSource clock;
    private final MeterRegistry meters;
    private final DistributionSummary batchSizes;
    private final Timer flushes;
    private final Counter aside;

    private final Object lock = new Object();
    private Gathering gathering;
    private @Nullable Gathering paced;
    private int inFlight;
    private int outstandingEvents;
    private Runnable onRoom = () -> {};
    private @Nullable EventTally tally;
    private @Nullable CompletableFuture<Void> drained;

    /** @param window how long sinks recognise a repeat */
    public EventPipeline(
            PipelineConfig config,
            Duration window,
            BucketCalendar calendar,
            SinkFanOut sinks,
            DeadLetters deadLetters,
            PatientRetry retry,
            Timers timers,
            InstantSource clock,
            MeterRegistry meters) {
        this.calendar = calendar;
        this.sizeMax = config.batch().sizeMax();
        this.bytesMax = config.batch().bytesMax();
        this.linger = config.batch().linger();
        this.pace = config.batch().pace();
        this.inFlightMax = config.inFlightMax();
        this.window = window;
        this.sinks = sinks;
        this.deadLetters = deadLetters;
        this.retry = retry;
        this.timers = timers;
        this.clock = clock;
        this.meters = meters;
        this.gathering = new Gathering(calendar);
        this.batchSizes = DistributionSummary.builder("flagtally.pipeline.batch.size")
                .baseUnit("events")
                .publishPercentiles(0.5, 0.99)
                .register(meters);
        this.aside = meters.counter("flagtally.broker.dead_letters");
        this.flushes = Timer.builder("flagtally.pipeline.flush")
                .publishPercentiles(0.5, 0.99)
                .register(meters);
        Gauge.builder("flagtally.pipeline.in_flight", this, p -> p.outstandingEvents())
                .baseUnit("events")
                .register(meters);
        Gauge.builder("flagtally.pipeline.waiting", retry, PatientRetry::waiting)
                .baseUnit("batches")
                .register(meters);
    }

    /** Has {@code to} told of events that are settled and that are put aside. */
    void tally(EventTally to) {
        tally = to;
    }

    /** Runs {@code task} each time room appears after there was none. */
    public void onRoom(Runnable task) {
        synchronized (lock) {
            onRoom = task;
        }
    }

    /** Takes a delivery. It is acknowledged once all its events are written or put aside. */
    public void accept(Delivery delivery) {
        Instant now = clock.instant();
        delivery.received(now);
        if (delivery.outlived(window, now)) {
            delivery.condemn(window);
        }
        Gathering full;
        synchronized (lock) {
            gathering.add(delivery);
            outstandingEvents += delivery.weight();
            full = takeIfDue();
            if (full == null && gathering.deliveries.size() == 1) {
                lingerLater(gathering);
            }
        }
        flush(full);
    }

    /** False while taking more would exceed the bounds. */
    public boolean hasRoom() {
        synchronized (lock) {
            return roomLocked();
        }
    }

    /** Events taken and not yet acknowledged. */
    public int outstandingEvents() {
        synchronized (lock) {
            return outstandingEvents;
        }
    }

    /** Writes what is there without waiting for more; done when nothing is outstanding. */
    public CompletionStage<Void> drain() {
        Gathering rest;
        CompletableFuture<Void> done;
        synchronized (lock) {
            if (drained == null) {
                drained = new CompletableFuture<>();
            }
            done = drained;
            gathering.lingered = true;
            rest = takeIfDue();
            if (outstandingEvents == 0) {
                done.complete(null);
            }
        }
        flush(rest);
        return done;
    }

    private boolean roomLocked() {
        return inFlight < inFlightMax || !isFull(gathering);
    }

    private boolean isFull(Gathering batch) {
        return batch.weight >= sizeMax || batch.bytes >= bytesMax;
    }

    private void lingerLater(Gathering waiting) {
        timers.after(linger, () -> {
            Gathering due;
            synchronized (lock) {
                waiting.lingered = true;
                due = takeIfDue();
            }
            flush(due);
        });
    }

    /** Until its pace has passed, {@code begun} keeps the next batch gathering. Called under the lock. */
    private void paceAfter(Gathering begun) {
        if (pace.isZero()) {
            return;
        }
        paced = begun;
        timers.after(pace, () -> {
            Gathering due = null;
            synchronized (lock) {
                if (paced == begun) {
                    paced = null;
                    due = takeIfDue();
                }
            }
            flush(due);
        });
    }

    /** Takes the gathering batch for writing if it may and should go now. Called under the lock. */
    private @Nullable Gathering takeIfDue() {
        boolean quiet = inFlight == 0 && paced == null;
        boolean due = quiet || isFull(gathering) || gathering.lingered || drained != null;
        if (gathering.isEmpty() || inFlight >= inFlightMax || !due) {
            return null;
        }
        Gathering taken = gathering;
        gathering = new Gathering(calendar);
        inFlight++;
        paceAfter(taken);
        return taken;
    }

    private void flush(@Nullable Gathering taken) {
        if (taken == null) {
            return;
        }
        batchSizes.record(taken.batch.size());
        Timer.Sample sample = Timer.start(meters);
        written(taken)
                .chain(rejected -> putAside(taken, rejected))
                .subscribe()
                .with(done -> settled(taken, sample, null), failure -> settled(taken, sample, failure));
    }

    private Uni<List<RejectedEvent>> written(Gathering taken) {
        if (taken.batch.size() == 0) {
            return Uni.createFrom().item(List.of());
        }
        return sinks.write(taken.batch, () -> taken.outlived(window, clock.instant()))
                .onFailure(WindowPassedException.class)
                .recoverWithUni(() -> {
                    taken.condemnOutlived(window, clock.instant());
                    return written(taken);
                });
    }

    private Uni<Void> putAside(Gathering taken, List<RejectedEvent> rejected) {
        List<DeadLetter> letters = letters(taken, rejected);
        if (letters.isEmpty()) {
            return Uni.createFrom().voidItem();
        }
        Map<ErrorCode, List<DeadLetter>> byCode =
                letters.stream().collect(Collectors.groupingBy(DeadLetter::code, TreeMap::new, Collectors.toList()));
        return retry.until("dead letters", () -> deadLetters.put(letters)).invoke(() -> {
            byCode.forEach(this::tell);
            tallyAside(byCode);
        });
    }

    private List<DeadLetter> letters(Gathering taken, List<RejectedEvent> rejected) {
        Map<FlagEvent, List<RejectedEvent>> byEvent = new IdentityHashMap<>();
        rejected.forEach(each -> byEvent.computeIfAbsent(each.event(), event -> new ArrayList<>(1))
                .add(each));
        Instant now = clock.instant();
        List<DeadLetter> letters = new ArrayList<>();
        taken.deliveries.forEach(delivery -> letters.addAll(delivery.letters(byEvent, now)));
        return letters;
    }

    private void tell(ErrorCode code, List<DeadLetter> letters) {
        meters.counter("flagtally.events.dead_letters", "code", code.label()).increment(letters.size());
        aside.increment(letters.size());
        DeadLetter one = letters.get(0);
        LOG.warnf(
                "Put aside %d events (%s), such as %s: %s", letters.size(), code.label(), one.eventId(), one.detail());
    }

    private void tallyAside(Map<ErrorCode, List<DeadLetter>> byCode) {
        EventTally to = tally;
        if (to != null) {
            Map<String, Long> added = new HashMap<>();
            byCode.forEach((code, letters) -> added.put(EventTally.SET_ASIDE + code.name(), (long) letters.size()));
            to.addAll(added);
        }
    }

    private void settled(Gathering taken, Timer.Sample sample, @Nullable Throwable failure) {
        sample.stop(flushes);
        if (failure == null) {
            tallySettled(taken);
            taken.deliveries.forEach(delivery -> delivery.acknowledgement().ack());
        } else {
            LOG.errorf(
                    failure,
                    "A batch of %d events was not written; its messages are refused and come again",
                    taken.batch.size());
            taken.deliveries.forEach(delivery -> delivery.acknowledgement().nack(failure));
        }
        Gathering next;
        Runnable room;
        synchronized (lock) {
            room = roomLocked() ? null : onRoom;
            inFlight--;
            outstandingEvents -= taken.weight;
            next = takeIfDue();
            if (drained != null && outstandingEvents == 0) {
                drained.complete(null);
            }
        }
        flush(next);
        if (room != null) {
            room.run();
        }
    }

    private void tallySettled(Gathering taken) {
        EventTally to = tally;
        if (to != null) {
            long delivered = 0;
            long malformed = 0;
            for (Delivery delivery : taken.deliveries) {
                delivered += delivery.events();
                malformed += delivery.faults();
            }
            to.addAll(Map.of(EventTally.DELIVERED, delivered, EventTally.MALFORMED, malformed));
        }
    }
}
