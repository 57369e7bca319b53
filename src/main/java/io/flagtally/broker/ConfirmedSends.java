package io.flagtally.broker;

import io.flagtally.platform.error.UnavailableException;
import io.smallrye.mutiny.Uni;
import io.smallrye.mutiny.subscription.UniEmitter;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;
import org.eclipse.microprofile.reactive.messaging.Message;
import org.jboss.logging.Logger;
import org.jspecify.annotations.Nullable;

/**
 * Sends over a connection on which a broker confirms what it has.
 *
 * <p><b>Connections</b>: one at a time, opened when something is to be sent and again when it was lost. While the broker is
 * away a message is refused to its sender, after one attempt to connect that all who wait share.
 *
 * <p><b>Every message gets an answer</b>: what was not confirmed when the connection is lost is refused then, though the
 * broker may have it.
 */
public final class ConfirmedSends implements AutoCloseable {

    /** A port: opens links to the place that is sent to. */
    public interface Opener {

        /**
         * Connects; fails if the broker is away.
         *
         * @param lost is told when the connection is gone, by any thread
         */
        Uni<Link> open(Consumer<Throwable> lost);

        /** One sentence for a person: what is wrong, and what to do. */
        String explain(Throwable failure);
    }

    /** A port: a connection over which messages leave. Blocks nobody. */
    public interface Link {

        /** Done when the broker has confirmed the message; called in the order in which messages shall leave. */
        Uni<Void> send(byte[] payload, OutgoingHeaders headers);

        void close();
    }

    private static final Logger LOG = Logger.getLogger(ConfirmedSends.class);

    private final Opener opener;
    private final Object lock = new Object();
    private @Nullable Session session;
    private boolean closed;

    public ConfirmedSends(Opener opener) {
        this.opener = opener;
    }

    /** Done when the broker has the message; fails with {@link UnavailableException} if it may not have it. */
    public Uni<Void> send(Message<?> message) {
        OutgoingHeaders headers = message.getMetadata(OutgoingHeaders.class)
                .orElseThrow(() -> new IllegalStateException("a message without OutgoingHeaders was sent"));
        byte[] payload = (byte[]) message.getPayload();
        return Uni.createFrom()
                .deferred(() -> session().link())
                .chain(open -> open.send(payload, headers))
                .onFailure()
                .transform(failure -> new UnavailableException(opener.explain(failure), failure));
    }

    @Override
    public void close() {
        Session open;
        synchronized (lock) {
            closed = true;
            open = session;
        }
        if (open != null) {
            open.lost(new IllegalStateException("the channel is closed"));
        }
    }

    private Session session() {
        Session fresh;
        synchronized (lock) {
            if (closed) {
                throw new IllegalStateException("the channel is closed");
            }
            if (session != null && session.lost == null) {
                return session;
            }
            fresh = new Session();
            session = fresh;
        }
        opener.open(fresh::lost).subscribe().with(fresh::linked, fresh::lost);
        return fresh;
    }

    /** One connection, from its opening to its loss. */
    private final class Session {

        private final Set<CompletableFuture<Void>> unconfirmed = ConcurrentHashMap.newKeySet();
        private final List<UniEmitter<? super Session>> waiting = new ArrayList<>();
        private @Nullable Link link;
        private volatile @Nullable Throwable lost;

        /** This session once it is linked; who waits goes on in the order of asking. */
        Uni<Session> link() {
            return Uni.createFrom().emitter(emitter -> {
                Throwable failure;
                boolean open;
                synchronized (lock) {
                    failure = lost;
                    open = link != null;
                    if (failure == null && !open) {
                        waiting.add(emitter);
                    }
                }
                if (failure != null) {
                    emitter.fail(failure);
                } else if (open) {
                    emitter.complete(this);
                }
            });
        }

        void linked(Link opened) {
            boolean late;
            synchronized (lock) {
                late = lost != null;
                if (!late) {
                    link = opened;
                }
            }
            if (late) {
                opened.close();
            }
            waitingNow().forEach(emitter -> emitter.complete(this));
        }

        Uni<Void> send(byte[] payload, OutgoingHeaders headers) {
            CompletableFuture<Void> done = new CompletableFuture<>();
            // Before the look at whether the connection is lost, which settles what stands there.
            boolean unused = unconfirmed.add(done);
            Link open;
            Throwable failure;
            synchronized (lock) {
                failure = lost;
                open = link;
            }
            if (failure != null || open == null) {
                unconfirmed.remove(done);
                return Uni.createFrom().failure(failure == null ? new IllegalStateException("not connected") : failure);
            }
            open.send(payload, headers)
                    .subscribe()
                    .with(confirmed -> settle(done, null), refused -> settle(done, refused));
            return Uni.createFrom().completionStage(done);
        }

        void lost(Throwable why) {
            Link open;
            synchronized (lock) {
                if (lost != null) {
                    return;
                }
                LOG.debugf("The connection that is sent over ended: %s", why);
                lost = why;
                open = link;
            }
            if (open != null) {
                open.close();
            }
            unconfirmed.forEach(done -> settle(done, why));
            waitingNow().forEach(emitter -> emitter.fail(why));
        }

        private void settle(CompletableFuture<Void> done, @Nullable Throwable failure) {
            unconfirmed.remove(done);
            boolean unused = failure == null ? done.complete(null) : done.completeExceptionally(failure);
        }

        private List<UniEmitter<? super Session>> waitingNow() {
            synchronized (lock) {
                List<UniEmitter<? super Session>> now = List.copyOf(waiting);
                waiting.clear();
                return now;
            }
        }
    }
}
