package io.flagtally.series.live;

import io.smallrye.mutiny.Multi;
import io.vertx.core.Context;
import jakarta.ws.rs.sse.OutboundSseEvent;
import jakarta.ws.rs.sse.Sse;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Flow.Publisher;
import java.util.concurrent.Flow.Subscriber;
import java.util.concurrent.Flow.Subscription;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;

/**
 * The messages to one reader. There is a message only when the reader has taken the one before, and it is made then, of
 * what stands then: whoever is slow gets fewer and newer ones, and nothing is kept for him. Has one subscriber.
 *
 * <p>All of it happens on the event loop of the reader's connection, so it needs no lock; {@link #wake} and {@link #end}
 * may be called from anywhere.
 */
final class LiveStream implements Publisher<OutboundSseEvent>, Subscription, LiveMessages.Recipient {

    private static final Duration PULSE = Duration.ofSeconds(1);
    private static final long RECONNECT_MILLIS = 1_000;

    /** How a reader is let in and out. */
    interface Door {

        /** Whether he may still read. */
        boolean allows();

        /** Cuts his connection. */
        void cut();

        /** He has left. */
        void left(LiveStream stream);
    }

    /**
     * How often he is told.
     *
     * @param tick at least so long between two messages of counts
     */
    record Pace(Duration tick, Duration heartbeat, Duration stallMax, Duration streamMax) {}

    /** What a message has beside its parts, about. */
    private static final int FRAME_BYTES = 200;

    private final LiveView view;
    private final LiveMessages messages;
    private final Door door;
    private final Pace pace;
    private final Sse sse;
    private final Context context;
    private final AtomicBoolean woken = new AtomicBoolean();
    private final long openedNanos = System.nanoTime();

    private Set<Long> had;
    private @Nullable Subscriber<? super OutboundSseEvent> reader;
    private @Nullable String lastPulse;
    private long demand;
    private boolean greeted;
    private boolean showed;
    private boolean done;
    private boolean delayed;
    private long countsNanos;
    private long pulseNanos;
    private long writtenNanos = openedNanos;
    private long askedNanos = openedNanos;
    private long allowedNanos = openedNanos;

    /** @param had the digests of what the reader has already */
    @SuppressWarnings("TooManyParameters")
    LiveStream(LiveView view, LiveMessages messages, Door door, Pace pace, Sse sse, Context context, Set<Long> had) {
        this.view = view;
        this.messages = messages;
        this.door = door;
        this.pace = pace;
        this.sse = sse;
        this.context = context;
        this.had = had;
        countsNanos = openedNanos - pace.tick.toNanos();
        pulseNanos = openedNanos - PULSE.toNanos();
    }

    /** Returns the messages, or the failure if what he wants cannot be read now; then he has left. */
    Multi<OutboundSseEvent> onceShown() {
        return view.shown()
                .emitOn(task -> context.runOnContext(loop -> task.run()))
                .onFailure()
                .invoke(this::cancel)
                .onCancellation()
                .invoke(this::cancel)
                .onItem()
                .transformToMulti(shown -> Multi.createFrom().publisher(this));
    }

    @Override
    public void subscribe(Subscriber<? super OutboundSseEvent> subscriber) {
        reader = subscriber;
        subscriber.onSubscribe(this);
        view.listen(this::wake);
    }

    @Override
    public void request(long n) {
        context.runOnContext(loop -> {
            demand = demand + n < 0 ? Long.MAX_VALUE : demand + n;
            askedNanos = System.nanoTime();
            messages.end(this);
            offer();
        });
    }

    @Override
    public void cancel() {
        context.runOnContext(loop -> leave());
    }

    /** There may be something new. */
    void wake() {
        if (woken.compareAndSet(false, true)) {
            context.runOnContext(loop -> {
                woken.set(false);
                offer();
            });
        }
    }

    @Override
    public void cut() {
        context.runOnContext(loop -> cutNow());
    }

    /** Ends the stream; the reader may come back. */
    void end() {
        context.runOnContext(loop -> complete());
    }

    private void offer() {
        long now = System.nanoTime();
        if (!done && demand == 0 && now - askedNanos > pace.stallMax.toNanos()) {
            cutNow();
        }
        while (!done && demand > 0) {
            OutboundSseEvent next = next(now);
            Subscriber<? super OutboundSseEvent> to = reader;
            if (next == null || to == null) {
                return;
            }
            demand--;
            writtenNanos = now;
            to.onNext(next);
        }
    }

    private @Nullable OutboundSseEvent next(long now) {
        if (!greeted) {
            greeted = true;
            return sse.newEventBuilder()
                    .reconnectDelay(RECONNECT_MILLIS)
                    .comment("hello")
                    .build();
        }
        if (now - openedNanos > pace.streamMax.toNanos() || !stillAllowed(now)) {
            complete();
            return null;
        }
        LiveView.State state = view.state();
        OutboundSseEvent event = null;
        if (state != null) {
            event = change(state, now);
            if (event == null && showed) {
                event = pulse(state, now);
            }
        }
        return event == null && now - writtenNanos > pace.heartbeat.toNanos()
                ? sse.newEventBuilder().comment("").build()
                : event;
    }

    private @Nullable OutboundSseEvent change(LiveView.State state, long now) {
        long wait = countsNanos + pace.tick.toNanos() - now;
        if (wait > 0) {
            offerAfter(wait);
            return null;
        }
        List<LivePart> parts = state.parts();
        List<LivePart> changed =
                parts.stream().filter(part -> !had.contains(part.digest())).toList();
        boolean snapshot = !showed && changed.size() == parts.size();
        if (changed.isEmpty()) {
            showed = true;
            return null;
        }
        if (!hasRoom(changed, now)) {
            return null;
        }
        showed = true;
        had = LivePart.digests(parts);
        countsNanos = now;
        return sse.newEventBuilder()
                .name(snapshot ? "snapshot" : "change")
                .id(LivePart.id(parts))
                .data(state.data(changed))
                .build();
    }

    /** Where there is none, it looks again after a tick, for what stands then. */
    private boolean hasRoom(List<LivePart> changed, long now) {
        long bytes = FRAME_BYTES
                + changed.stream().mapToLong(part -> part.json().length()).sum();
        boolean room = messages.begin(this, bytes, now);
        if (!room) {
            offerAfter(pace.tick.toNanos());
        }
        return room;
    }

    private @Nullable OutboundSseEvent pulse(LiveView.State state, long now) {
        if (now - pulseNanos < PULSE.toNanos()) {
            return null;
        }
        String pulse = state.pulse();
        if (pulse.equals(lastPulse) || !messages.begin(this, pulse.length(), now)) {
            return null;
        }
        pulseNanos = now;
        lastPulse = pulse;
        return sse.newEventBuilder().name("pulse").data(pulse).build();
    }

    private void offerAfter(long nanos) {
        if (!delayed) {
            delayed = true;
            var unused = context.owner().setTimer(nanos / 1_000_000 + 1, id -> {
                delayed = false;
                wake();
            });
        }
    }

    private boolean stillAllowed(long now) {
        if (now - allowedNanos > pace.heartbeat.toNanos()) {
            allowedNanos = now;
            return door.allows();
        }
        return true;
    }

    private void complete() {
        Subscriber<? super OutboundSseEvent> to = reader;
        if (!done && to != null) {
            leave();
            to.onComplete();
        }
    }

    private void cutNow() {
        if (!done) {
            leave();
            door.cut();
        }
    }

    private void leave() {
        if (!done) {
            done = true;
            messages.end(this);
            view.close();
            door.left(this);
        }
    }
}
