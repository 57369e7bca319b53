package io.flagtally.ingest;

import io.flagtally.codec.BucketeerCodec;
import io.flagtally.codec.EventHeaders;
import io.flagtally.codec.EventLines;
import io.flagtally.codec.PartitionKey;
import io.flagtally.event.EnvironmentId;
import io.flagtally.event.SourceId;
import io.flagtally.platform.config.BrokerConfig;
import io.flagtally.platform.error.UnavailableException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import org.eclipse.microprofile.reactive.messaging.Message;
import org.eclipse.microprofile.reactive.messaging.Metadata;
import org.jboss.logging.Logger;
import org.jspecify.annotations.Nullable;

/**
 * Puts events into messages within the bounds of the broker, and tells each request when all its messages are safe.
 *
 * <p>Events of one environment, source and lane share messages. While no message of theirs is on its way, one leaves at
 * the end of each request; while one is, the next gathers until it is full, its linger has passed, or the one before is
 * settled. With a linger of zero a message never holds events of two requests.
 *
 * <p>Events with a key are spread over {@link #LANES} lanes by their user, and the lane is the key: all events of a user
 * have one key, and events of different users can still share a message. What it holds is bounded by {@link InFlight},
 * from which each request takes its room. Safe for use by several threads; messages leave in the order in which they were
 * filled.
 */
final class Outbox {

    /** More than any installation has partitions that matter, few enough that messages stay large. */
    static final int LANES = 64;

    private static final Logger LOG = Logger.getLogger(Outbox.class);

    /** A request that waits for its events to be safe. */
    interface Request {

        /** One more message holds events of this request. */
        void joined();

        /** A message is decided. */
        void settled(@Nullable Throwable failure);
    }

    private record Place(EnvironmentId environment, SourceId source, int lane) {}

    private static final class Lane {
        private @Nullable Parcel open;
        private int underWay;
    }

    /** A message being filled. */
    private static final class Parcel {
        private final Place place;
        private final Instant acceptedAt;
        private final Optional<String> traceParent;
        private final EventLines lines;
        private final List<Request> requests = new ArrayList<>();
        private int bytes;

        Parcel(Place place, Instant acceptedAt, Optional<String> traceParent, int sizeHint) {
            this.place = place;
            this.acceptedAt = acceptedAt;
            this.traceParent = traceParent;
            this.lines = new EventLines(sizeHint);
        }

        void add(EventSlice event, Request request) {
            lines.add(event.bytes(), event.offset(), event.length());
            bytes += event.lineBytes();
            if (requests.isEmpty() || requests.get(requests.size() - 1) != request) {
                requests.add(request);
                request.joined();
            }
        }
    }

    private final int eventsMax;
    private final int bytesMax;
    private final Duration linger;
    private final boolean keyed;
    private final Consumer<Message<byte[]>> channel;
    private final BiConsumer<Duration, Runnable> timers;
    private final Consumer<Message<byte[]>> onSafe;

    private final Object lock = new Object();
    private final Map<Place, Lane> lanes = new HashMap<>();
    private final Queue<Parcel> sealed = new ConcurrentLinkedQueue<>();
    private final AtomicInteger sending = new AtomicInteger();

    /**
     * @param channel takes a message, or throws
     * @param timers runs a task later
     * @param onSafe is told of each message that the broker has
     */
    Outbox(
            BrokerConfig config,
            Consumer<Message<byte[]>> channel,
            BiConsumer<Duration, Runnable> timers,
            Consumer<Message<byte[]>> onSafe) {
        this.eventsMax = config.message().eventsMax();
        this.bytesMax = config.message().bytesMax();
        this.linger = config.message().linger();
        this.keyed = config.key() == BrokerConfig.Key.USER;
        this.channel = channel;
        this.timers = timers;
        this.onSafe = onSafe;
    }

    /** Takes the events of {@code request}, none of which is larger than a message. Their bytes are copied. */
    void add(
            List<EventSlice> events,
            EnvironmentId environment,
            SourceId source,
            Instant acceptedAt,
            Optional<String> traceParent,
            Request request) {
        List<Parcel> begun = new ArrayList<>(0);
        synchronized (lock) {
            Set<Place> touched = new LinkedHashSet<>();
            int sizeHint = sizeHint(events);
            for (EventSlice event : events) {
                Place place = new Place(environment, source, lane(event));
                Lane lane = lanes.computeIfAbsent(place, p -> new Lane());
                if (lane.open != null && !fits(lane.open, event)) {
                    seal(lane);
                }
                if (lane.open == null) {
                    lane.open = new Parcel(place, acceptedAt, traceParent, sizeHint);
                    begun.add(lane.open);
                }
                lane.open.add(event, request);
                touched.add(place);
            }
            for (Place place : touched) {
                Lane lane = lanes.get(place);
                if (lane != null && lane.open != null && (linger.isZero() || lane.underWay == 0)) {
                    seal(lane);
                }
            }
            begun.removeIf(parcel -> !isOpen(parcel));
        }
        begun.forEach(parcel -> timers.accept(linger, () -> lingered(parcel)));
        send();
    }

    private int sizeHint(List<EventSlice> events) {
        long all = events.stream().mapToLong(EventSlice::lineBytes).sum();
        return (int) Math.min(keyed ? Math.min(all, 4096) : all, bytesMax);
    }

    private int lane(EventSlice event) {
        return keyed ? Math.floorMod(event.user().value().hashCode(), LANES) : 0;
    }

    private boolean fits(Parcel parcel, EventSlice event) {
        return parcel.lines.events() < eventsMax && parcel.bytes + event.lineBytes() <= bytesMax;
    }

    private boolean isOpen(Parcel parcel) {
        Lane lane = lanes.get(parcel.place);
        return lane != null && lane.open == parcel;
    }

    /** Called under the lock. */
    private void seal(Lane lane) {
        Parcel full = lane.open;
        if (full != null) {
            lane.open = null;
            lane.underWay++;
            sealed.add(full);
        }
    }

    private void lingered(Parcel parcel) {
        synchronized (lock) {
            Lane lane = lanes.get(parcel.place);
            if (lane != null && lane.open == parcel) {
                seal(lane);
            }
        }
        send();
    }

    /** One thread at a time sends; the others leave their messages to it. */
    private void send() {
        int missed = 1;
        if (sending.getAndIncrement() != 0) {
            return;
        }
        do {
            Parcel next;
            while ((next = sealed.poll()) != null) {
                send(next);
            }
            missed = sending.addAndGet(-missed);
        } while (missed != 0);
    }

    private void send(Parcel parcel) {
        Place place = parcel.place;
        Metadata metadata = Metadata.of(new EventHeaders(
                place.environment(),
                place.source(),
                BucketeerCodec.CONTENT_TYPE,
                parcel.lines.events(),
                parcel.acceptedAt,
                parcel.traceParent));
        if (keyed) {
            metadata = metadata.with(new PartitionKey(Integer.toString(place.lane())));
        }
        Message<byte[]> message = Message.of(parcel.lines.payload(), metadata);
        send(message, onSafe, failure -> settled(parcel, failure));
    }

    /** Sends one message that is whole already, past the lanes. */
    void send(EventHeaders headers, byte[] payload, Request request) {
        request.joined();
        send(Message.of(payload, Metadata.of(headers)), sent -> {}, request::settled);
    }

    /** A message is decided once, whoever says so. */
    private void send(Message<byte[]> message, Consumer<Message<byte[]>> safe, Consumer<@Nullable Throwable> decided) {
        AtomicBoolean once = new AtomicBoolean();
        try {
            channel.accept(message.withAck(() -> {
                        if (once.compareAndSet(false, true)) {
                            safe.accept(message);
                            decided.accept(null);
                        }
                        return CompletableFuture.completedFuture(null);
                    })
                    .withNack(failure -> {
                        if (once.compareAndSet(false, true)) {
                            decided.accept(failure);
                        }
                        return CompletableFuture.completedFuture(null);
                    }));
        } catch (RuntimeException e) {
            LOG.warnf("The channel of events takes no message: %s", e);
            if (once.compareAndSet(false, true)) {
                decided.accept(new UnavailableException("the channel of events takes no message just now", e));
            }
        }
    }

    private void settled(Parcel parcel, @Nullable Throwable failure) {
        synchronized (lock) {
            Lane lane = lanes.get(parcel.place);
            if (lane != null && --lane.underWay == 0) {
                if (lane.open == null) {
                    lanes.remove(parcel.place);
                } else {
                    seal(lane);
                }
            }
        }
        parcel.requests.forEach(request -> request.settled(failure));
        send();
    }
}
