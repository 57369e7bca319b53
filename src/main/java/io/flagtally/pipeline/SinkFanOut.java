package io.flagtally.pipeline;

import io.flagtally.event.FlagEvent;
import io.flagtally.event.GoalEvent;
import io.flagtally.platform.EventTally;
import io.flagtally.platform.error.ErrorCode;
import io.flagtally.rollup.EventBatch;
import io.micrometer.core.instrument.MeterRegistry;
import io.smallrye.mutiny.Uni;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.BooleanSupplier;
import org.jboss.logging.Logger;
import org.jspecify.annotations.Nullable;

/**
 * Writes a batch to every sink, one after the other.
 *
 * <p>A store that is away is waited for without end. Any other failure blames the batch: it is halved until the
 * guilty event stands alone, which is then rejected; that costs about {@code 2 · log2(size)} writes a guilty event.
 * An event that one sink rejects is still written to the others; a later redrive, which they recognise, completes it.
 */
public final class SinkFanOut {

    private static final Logger LOG = Logger.getLogger(SinkFanOut.class);

    private final List<BatchSink> sinks;
    private final PatientRetry retry;
    private final MeterRegistry meters;
    private @Nullable EventTally tally;
    private boolean ofFiles;

    public SinkFanOut(List<BatchSink> sinks, PatientRetry retry, MeterRegistry meters) {
        this.sinks = List.copyOf(sinks);
        this.retry = retry;
        this.meters = meters;
    }

    /**
     * Has {@code to} told what becomes of events in each sink.
     *
     * @param fromFiles whether they are events of files, to be told as such
     */
    SinkFanOut tally(EventTally to, boolean fromFiles) {
        tally = to;
        ofFiles = fromFiles;
        return this;
    }

    /** Writes {@code batch}, and gives what any sink rejected. Never fails. */
    public Uni<List<RejectedEvent>> write(EventBatch batch) {
        return write(batch, () -> false);
    }

    /**
     * As {@link #write(EventBatch)}, but no write, nor a repeat of one, begins once it is {@code tooLate}: it fails with
     * {@link WindowPassedException} then, and part of the batch may be written.
     */
    Uni<List<RejectedEvent>> write(EventBatch batch, BooleanSupplier tooLate) {
        Uni<List<RejectedEvent>> all = Uni.createFrom().item(new ArrayList<>());
        for (BatchSink sink : sinks) {
            all = all.chain(rejected -> write(sink, batch, tooLate).map(outcome -> {
                count(sink, outcome);
                tally(sink, batch, outcome);
                rejected.addAll(outcome.rejected());
                return rejected;
            }));
        }
        if (tally != null && ofFiles) {
            tally.add(EventTally.IMPORTED, batch.size());
        }
        return all;
    }

    private Uni<BatchOutcome> write(BatchSink sink, EventBatch batch, BooleanSupplier tooLate) {
        return retry.until(
                        sink.name(),
                        () -> tooLate.getAsBoolean()
                                ? Uni.createFrom().failure(new WindowPassedException())
                                : sink.write(batch))
                .onFailure(failure -> !(failure instanceof WindowPassedException))
                .recoverWithUni(failure -> blame(sink, batch, tooLate, failure));
    }

    private Uni<BatchOutcome> blame(BatchSink sink, EventBatch batch, BooleanSupplier tooLate, Throwable failure) {
        if (batch.size() == 1) {
            FlagEvent event = batch.events().get(0);
            LOG.warnf(failure, "Sink %s will not take event %s", sink.name(), event.id());
            String detail = "sink " + sink.name() + " failed on this event alone: " + failure;
            return Uni.createFrom()
                    .item(new BatchOutcome(0, 0, List.of(new RejectedEvent(event, ErrorCode.SINK_REJECTED, detail))));
        }
        int middle = batch.size() / 2;
        return write(sink, batch.part(0, middle), tooLate)
                .chain(first ->
                        write(sink, batch.part(middle, batch.size()), tooLate).map(first::plus));
    }

    private void count(BatchSink sink, BatchOutcome outcome) {
        meters.counter("flagtally.events.counted", "sink", sink.name()).increment(outcome.counted());
        meters.counter("flagtally.events.duplicates", "sink", sink.name()).increment(outcome.duplicates());
    }

    private void tally(BatchSink sink, EventBatch batch, BatchOutcome outcome) {
        EventTally to = tally;
        if (to == null) {
            return;
        }
        long offered = sink.takesGoals()
                ? batch.size()
                : batch.events().stream()
                        .filter(event -> !(event instanceof GoalEvent))
                        .count();
        to.addAll(Map.of(
                EventTally.OFFERED + sink.name(),
                offered,
                EventTally.COUNTED + sink.name(),
                outcome.counted(),
                EventTally.DUPLICATES + sink.name(),
                outcome.duplicates(),
                EventTally.REJECTED + sink.name(),
                (long) outcome.rejected().size()));
    }
}
