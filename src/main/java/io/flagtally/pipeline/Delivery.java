package io.flagtally.pipeline;

import io.flagtally.codec.EventCodec;
import io.flagtally.codec.EventHeaders;
import io.flagtally.codec.MalformedEventException;
import io.flagtally.event.FlagEvent;
import io.flagtally.platform.error.ErrorCode;
import io.flagtally.rollup.EventBatch;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** A message that was delivered: its bytes, the events read from them, and the way to acknowledge it. */
public final class Delivery {

    /** How the broker is told. */
    public interface Acknowledgement {

        /** Every event of the message is safe. */
        void ack();

        /** The message was not taken; the broker may deliver it again. */
        void nack(Throwable reason);
    }

    private record Slice(FlagEvent event, int offset, int length) {}

    private record Fault(MalformedEventException why, int offset, int length) {}

    private final byte[] payload;
    private final EventHeaders headers;
    private final Arrival arrival;
    private final Acknowledgement acknowledgement;
    private final List<Slice> slices = new ArrayList<>();
    private final List<Fault> faults = new ArrayList<>();
    private Instant heldSince = Instant.MAX;

    /** Reads the events of {@code payload}; if it cannot be understood, all of it is one fault. */
    public Delivery(
            byte[] payload,
            EventHeaders headers,
            Arrival arrival,
            @Nullable EventCodec codec,
            Acknowledgement acknowledgement) {
        this.payload = payload;
        this.headers = headers;
        this.arrival = arrival;
        this.acknowledgement = acknowledgement;
        if (arrival.fault().isPresent()) {
            all(arrival.fault().get());
        } else if (codec == null) {
            all("no codec reads " + headers.contentType() + "; was the message written by a newer version?");
        } else {
            codec.decode(payload, headers.environment(), headers.source(), new Reading());
        }
    }

    private void all(String fault) {
        faults.add(new Fault(new MalformedEventException("", ErrorCode.MALFORMED, fault), 0, payload.length));
    }

    private final class Reading implements EventCodec.Visitor {
        @Override
        public void event(FlagEvent event, int offset, int length) {
            slices.add(new Slice(event, offset, length));
        }

        @Override
        public void malformed(MalformedEventException fault, int offset, int length) {
            faults.add(new Fault(fault, offset, length));
        }
    }

    Acknowledgement acknowledgement() {
        return acknowledgement;
    }

    /** How many events it brought, malformed ones included. */
    int events() {
        return slices.size() + faults.size();
    }

    /** How many of them no sink is given. */
    int faults() {
        return faults.size();
    }

    /** How much this message weighs against the bounds of the pipeline: its events, malformed ones included. */
    int weight() {
        return Math.max(1, slices.size() + faults.size());
    }

    /** How much memory this message holds. */
    int bytes() {
        return payload.length;
    }

    /** Takes note of when this process was given the message, unless it was given it before. */
    void received(Instant now) {
        heldSince = arrival.triedSince().orElse(now);
    }

    /**
     * Since when its events may have been written without our knowing: by whomever a broker gave it before, by whomever it
     * gave it while we hold it, or by a write of ours whose reply was lost.
     */
    Instant inDoubtSince() {
        return arrival.redelivered() && headers.acceptedAt().isBefore(heldSince) ? headers.acceptedAt() : heldSince;
    }

    /** True if its events may have been written so long ago that a repeat may not be recognised. */
    boolean outlived(Duration window, Instant now) {
        return inDoubtSince().plus(window).isBefore(now);
    }

    /** Makes every event of this message one to be put aside, for its {@code window} has passed. */
    void condemn(Duration window) {
        String why = arrival.redelivered()
                ? "the broker delivered this before and it was accepted more than " + window + " ago"
                : "this was held for more than " + window + " because it could not be written";
        condemn(
                ErrorCode.DEDUPLICATION_WINDOW_PASSED,
                why + ", so whether it was counted is no longer known; redrive it if it was not");
    }

    private void condemn(ErrorCode code, String detail) {
        for (Slice slice : slices) {
            String id = slice.event().id().toString();
            faults.add(new Fault(new MalformedEventException(id, code, detail), slice.offset(), slice.length()));
        }
        slices.clear();
    }

    void addTo(EventBatch batch) {
        for (Slice slice : slices) {
            batch.add(slice.event());
        }
    }

    /**
     * The letters for the events that were not put into the batch and for those that were rejected.
     *
     * @param rejected what was rejected of the batch, by the very object; those of other messages are passed over
     */
    List<DeadLetter> letters(Map<FlagEvent, List<RejectedEvent>> rejected, Instant at) {
        List<DeadLetter> letters = new ArrayList<>(faults.size());
        for (Fault fault : faults) {
            MalformedEventException why = fault.why();
            letters.add(letter(why.eventId(), why.code(), why.wireMessage(), fault.offset(), fault.length(), at));
        }
        if (!rejected.isEmpty()) {
            for (Slice slice : slices) {
                for (RejectedEvent each : rejected.getOrDefault(slice.event(), List.of())) {
                    String id = each.event().id().toString();
                    letters.add(letter(id, each.code(), each.detail(), slice.offset(), slice.length(), at));
                }
            }
        }
        return letters;
    }

    private DeadLetter letter(String eventId, ErrorCode code, String detail, int offset, int length, Instant at) {
        byte[] bytes = Arrays.copyOfRange(payload, offset, offset + length);
        return new DeadLetter(headers.ofOneEvent(), eventId, code, detail, bytes, at, arrival.headers());
    }
}
