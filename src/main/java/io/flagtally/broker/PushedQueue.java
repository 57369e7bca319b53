package io.flagtally.broker;

import io.smallrye.mutiny.Uni;
import io.smallrye.mutiny.subscription.UniEmitter;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.jboss.logging.Logger;
import org.jspecify.annotations.Nullable;

/**
 * A queue whose broker pushes messages over a connection and lends them for as long as that connection lives.
 *
 * <p><b>Connections</b>: one at a time, opened when messages are first asked for and again when it was lost. What came over
 * a lost one is delivered again by the broker, so an acknowledgement never reaches another connection than the message
 * came over: there the same number may name another message.
 *
 * <p><b>Backpressure</b> is the broker's: a link has a bound of messages that are not acknowledged, and all that lies here is
 * below it.
 */
public final class PushedQueue implements LeasedQueue {

    /** A port: opens links to the queue. */
    public interface Opener {

        /** Connects and lets messages come; fails if the broker is away. What comes may do so before this is done. */
        Uni<Link> open(Inbox inbox);

        /** One sentence for a person: what is wrong, and what to do. */
        String explain(Throwable failure);
    }

    /** A port: a connection over which messages come. Blocks nobody. */
    public interface Link {

        /** Done when the broker was told; also if the connection is lost meanwhile. */
        Uni<Void> acknowledge(List<String> leases);

        /** Lets these messages be delivered again now. */
        Uni<Void> giveBack(List<String> leases);

        /**
         * Lets what was told go out and closes the connection; the broker delivers the rest again. Begins at once, and is
         * done when the broker knows.
         */
        CompletionStage<Void> close();
    }

    /** Where a link tells what happens to it. Safe for use by any thread. */
    public interface Inbox {

        /** @param message its lease is what the link wants to hear of it, unique within the link */
        void arrived(LeasedMessage message);

        /** The connection is gone, and with it all that came over it. */
        void lost(Throwable why);

        /** As {@link #lost}, but the broker only ended what was idle: it is there, and nobody need hear of it. */
        void rested();
    }

    private static final Logger LOG = Logger.getLogger(PushedQueue.class);

    /** Leases need no extension; this is how often it is looked whether they do. */
    private static final Duration LEASE = Duration.ofHours(1);

    private static final int BATCH_MAX = 100;
    private static final char SEPARATOR = ':';
    private static final CompletionStage<Void> NOTHING_OPEN = CompletableFuture.completedFuture(null);

    private final String name;
    private final Opener opener;
    private final Object lock = new Object();
    private @Nullable Session session;
    private long sessions;
    private boolean closed;

    /** @param name the queue for a person: {@code the queue flag-events of RabbitMQ} */
    public PushedQueue(String name, Opener opener) {
        this.name = name;
        this.opener = opener;
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public int batchMax() {
        return BATCH_MAX;
    }

    @Override
    public Duration lease() {
        return LEASE;
    }

    @Override
    public Uni<List<LeasedMessage>> receive(int countMax) {
        return Uni.createFrom().deferred(() -> {
            Session open = open();
            return open == null ? opened() : open.take(countMax);
        });
    }

    /** Passes over what came over a lost connection: the broker delivers it again, and nobody can prevent it. */
    @Override
    public Uni<Void> acknowledge(List<String> leases) {
        return told(leases, true);
    }

    @Override
    public Uni<Void> extend(List<String> leases) {
        return Uni.createFrom().voidItem();
    }

    @Override
    public Uni<Void> giveBack(List<String> leases) {
        return told(leases, false);
    }

    @Override
    public String explain(Throwable failure) {
        return opener.explain(failure);
    }

    /** Messages that came and are neither acknowledged nor given back. */
    public long held() {
        synchronized (lock) {
            return session == null ? 0 : session.held;
        }
    }

    @Override
    public CompletionStage<Void> close() {
        Session open;
        synchronized (lock) {
            closed = true;
            open = session;
        }
        return open == null ? NOTHING_OPEN : open.end(new IllegalStateException(name + " is closed"), false);
    }

    private @Nullable Session open() {
        synchronized (lock) {
            return session == null || session.lost != null ? null : session;
        }
    }

    /** Opens a connection; no message yet, so that whoever waits learns that the broker is there. */
    private Uni<List<LeasedMessage>> opened() {
        Session fresh;
        synchronized (lock) {
            if (closed) {
                return Uni.createFrom().failure(new IllegalStateException(name + " is closed"));
            }
            sessions++;
            fresh = new Session(sessions);
            session = fresh;
        }
        return opener.open(fresh)
                .invoke(fresh::linked)
                .onFailure()
                .invoke(fresh::lost)
                .replaceWith(List.of());
    }

    private Uni<Void> told(List<String> leases, boolean done) {
        List<String> ofThisLink = new ArrayList<>();
        Link link;
        synchronized (lock) {
            Session open = session;
            link = open == null || open.lost != null ? null : open.link;
            if (open == null || link == null) {
                return Uni.createFrom().voidItem();
            }
            for (String lease : leases) {
                if (lease.startsWith(open.prefix)) {
                    ofThisLink.add(lease.substring(open.prefix.length()));
                }
            }
            open.held -= ofThisLink.size();
        }
        if (ofThisLink.isEmpty()) {
            return Uni.createFrom().voidItem();
        }
        return done ? link.acknowledge(ofThisLink) : link.giveBack(ofThisLink);
    }

    /** One connection, from its opening to its loss. */
    private final class Session implements Inbox {

        private final String prefix;
        private final Deque<LeasedMessage> arrived = new ArrayDeque<>();
        private @Nullable Link link;
        private @Nullable UniEmitter<? super List<LeasedMessage>> waiting;
        private @Nullable Throwable lost;
        private int countMax;
        private long held;

        Session(long number) {
            this.prefix = "" + number + SEPARATOR;
        }

        void linked(Link opened) {
            boolean late;
            synchronized (lock) {
                link = opened;
                late = closed || lost != null;
            }
            if (late) {
                var unused = opened.close();
            }
        }

        Uni<List<LeasedMessage>> take(int count) {
            return Uni.createFrom().emitter(emitter -> {
                List<LeasedMessage> taken = List.of();
                Throwable failure;
                synchronized (lock) {
                    failure = lost;
                    if (failure == null) {
                        waiting = emitter;
                        countMax = count;
                        taken = takeWaitedFor();
                    }
                }
                if (failure != null) {
                    emitter.fail(failure);
                } else if (!taken.isEmpty()) {
                    emitter.complete(taken);
                }
            });
        }

        @Override
        public void arrived(LeasedMessage message) {
            UniEmitter<? super List<LeasedMessage>> emitter;
            List<LeasedMessage> taken;
            synchronized (lock) {
                if (lost != null) {
                    return;
                }
                held++;
                arrived.add(new LeasedMessage(
                        prefix + message.lease(), message.payload(), message.headers(), message.redelivered()));
                emitter = waiting;
                taken = takeWaitedFor();
            }
            if (emitter != null) {
                emitter.complete(taken);
            }
        }

        @Override
        public void lost(Throwable why) {
            var unused = end(why, false);
        }

        @Override
        public void rested() {
            var unused = end(new IllegalStateException("the link was idle"), true);
        }

        /**
         * Forgets the connection, and answers who waits for a message.
         *
         * @param expected whether that is no failure
         */
        private CompletionStage<Void> end(Throwable why, boolean expected) {
            UniEmitter<? super List<LeasedMessage>> emitter;
            Link open;
            synchronized (lock) {
                if (lost != null) {
                    return NOTHING_OPEN;
                }
                LOG.debugf("The connection to %s ended: %s", name, why);
                lost = why;
                held = 0;
                arrived.clear();
                emitter = waiting;
                waiting = null;
                open = link;
            }
            CompletionStage<Void> ended = open == null ? NOTHING_OPEN : open.close();
            if (emitter != null && expected) {
                emitter.complete(List.of());
            } else if (emitter != null) {
                emitter.fail(why);
            }
            return ended;
        }

        private List<LeasedMessage> takeWaitedFor() {
            List<LeasedMessage> taken = new ArrayList<>();
            if (waiting != null && !arrived.isEmpty()) {
                while (!arrived.isEmpty() && taken.size() < countMax) {
                    taken.add(arrived.remove());
                }
                waiting = null;
            }
            return taken;
        }
    }
}
