package io.flagtally.broker.azure;

import io.flagtally.broker.PushedQueue;
import io.smallrye.mutiny.Uni;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.Vertx;
import io.vertx.proton.ProtonDelivery;
import io.vertx.proton.ProtonReceiver;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.CompletionStage;
import org.apache.qpid.proton.amqp.messaging.Accepted;
import org.apache.qpid.proton.amqp.messaging.Released;
import org.apache.qpid.proton.message.Message;
import org.jboss.logging.Logger;
import org.jspecify.annotations.Nullable;

/**
 * Receives from a queue or a subscription of Service Bus. A lease is a lock token. Every lock is renewed three times in its
 * duration until its message is settled; what a lost connection held is delivered again when its locks end.
 */
final class AzureDeliveries implements PushedQueue.Opener {

    private static final Logger LOG = Logger.getLogger(AzureDeliveries.class);

    private static final int RENEWALS_PER_LOCK = 3;
    private static final int DRAIN_MILLIS = 1_000;
    private static final String MANAGEMENT = "/$management";
    private static final Map<String, Object> RENEW = Map.of("operation", "com.microsoft:renew-lock");

    private final AzureServer server;
    private final Vertx vertx;
    private final AzureConfig config;
    private final String entity;

    AzureDeliveries(AzureServer server, String entity) {
        this.server = server;
        this.vertx = server.vertx();
        this.config = server.config();
        this.entity = entity;
    }

    @Override
    public Uni<PushedQueue.Link> open(PushedQueue.Inbox inbox) {
        return server.connect(inbox::lost).chain(connection -> {
            Listening listening = new Listening(connection, inbox);
            return connection
                    .<PushedQueue.Link>call(() -> listening.start().map(listening))
                    .onFailure()
                    .invoke(connection::close);
        });
    }

    @Override
    public String explain(Throwable failure) {
        return AzureFailure.of(failure).sentence(entity, "flagtally.broker.subscribe-to");
    }

    /** One connection with a link for messages and a node that renews their locks. */
    private final class Listening implements PushedQueue.Link {

        private final AzureConnection connection;
        private final PushedQueue.Inbox inbox;
        private final AzureNode management;
        private final Map<String, ProtonDelivery> unsettled = new LinkedHashMap<>();
        private @Nullable ProtonReceiver receiver;
        private long renewal;
        private boolean renewing;
        private boolean closing;
        private boolean toldOfLostLock;

        Listening(AzureConnection connection, PushedQueue.Inbox inbox) {
            this.connection = connection;
            this.inbox = inbox;
            this.management = new AzureNode(connection, entity + MANAGEMENT);
        }

        Future<Void> start() {
            return connection
                    .authorize(entity)
                    .compose(authorized -> connection.receiver(
                            proton -> proton.createReceiver(entity)
                                    .setPrefetch(0)
                                    .setAutoAccept(false)
                                    .handler(this::arrived),
                            this::ended))
                    .map(attached -> {
                        receiver = attached.flow(config.prefetch());
                        Duration pause = config.lockDuration().dividedBy(RENEWALS_PER_LOCK);
                        renewal = vertx.setPeriodic(pause.toMillis(), id -> renewAll());
                        return null;
                    });
        }

        @Override
        public Uni<Void> acknowledge(List<String> leases) {
            return connection
                    .<Void>call(() -> Future.join(
                                    leases.stream().map(this::complete).toList())
                            .mapEmpty())
                    .onFailure()
                    .recoverWithNull();
        }

        @Override
        public Uni<Void> giveBack(List<String> leases) {
            return connection.call(() -> {
                leases.forEach(this::release);
                return Future.succeededFuture();
            });
        }

        @Override
        public CompletionStage<Void> close() {
            return connection
                    .call(() -> {
                        closing = true;
                        boolean unused = vertx.cancelTimer(renewal);
                        return creditTakenBack()
                                .onComplete(
                                        done -> List.copyOf(unsettled.keySet()).forEach(this::release));
                    })
                    .onFailure()
                    .recoverWithNull()
                    .subscribeAsCompletionStage()
                    .thenCompose(done -> connection.close());
        }

        /** With credit left, what is given back would come again at once. */
        private Future<Void> creditTakenBack() {
            ProtonReceiver from = receiver;
            if (from == null || !from.isOpen()) {
                return Future.succeededFuture();
            }
            Promise<Void> drained = Promise.promise();
            receiver = from.drain(DRAIN_MILLIS, drained);
            return drained.future();
        }

        private void arrived(ProtonDelivery delivery, Message message) {
            String lease = LockTokens.text(delivery.getTag());
            unsettled.put(lease, delivery);
            inbox.arrived(ServiceBusText.leased(lease, message));
        }

        /** What cannot be acknowledged, for its lock has ended, is delivered again and not counted again. */
        private Future<Void> complete(String lease) {
            ProtonDelivery delivery = taken(lease);
            return delivery == null
                    ? lockLost()
                    : connection
                            .settle(delivery, Accepted.getInstance())
                            .recover(refused -> isLockLost(refused) ? lockLost() : Future.succeededFuture());
        }

        private void release(String lease) {
            ProtonDelivery delivery = taken(lease);
            if (delivery != null) {
                ProtonDelivery unused = delivery.disposition(Released.getInstance(), true);
            }
        }

        /** Takes a message off the list of locks and asks for another one. */
        private @Nullable ProtonDelivery taken(String lease) {
            ProtonDelivery delivery = unsettled.remove(lease);
            ProtonReceiver from = receiver;
            if (delivery != null && from != null && !closing) {
                receiver = from.flow(1);
            }
            return delivery;
        }

        private Future<Void> lockLost() {
            if (!toldOfLostLock && !closing) {
                toldOfLostLock = true;
                LOG.warnf(
                        "The lock of a message of %s ended while it was being worked on; it comes again and counts once."
                                + " If that happens often, set flagtally.broker.azure.lock-duration to that of the"
                                + " queue or subscription.",
                        entity);
            }
            return Future.succeededFuture();
        }

        private void renewAll() {
            if (renewing || unsettled.isEmpty()) {
                return;
            }
            renewing = true;
            renew(List.copyOf(unsettled.keySet())).onComplete(done -> renewing = false);
        }

        /** One lock that is lost has the whole request refused; the others are then renewed one by one. */
        private Future<Void> renew(List<String> leases) {
            UUID[] tokens = leases.stream().map(UUID::fromString).toArray(UUID[]::new);
            return management.ask(RENEW, Map.of("lock-tokens", tokens)).recover(refused -> {
                if (!isLockLost(refused)) {
                    LOG.debugf("Could not renew %d locks of %s: %s", tokens.length, entity, refused);
                } else if (leases.size() == 1) {
                    release(leases.get(0));
                } else {
                    return Future.join(leases.stream()
                                    .map(lease -> renew(List.of(lease)))
                                    .toList())
                            .mapEmpty();
                }
                return Future.succeededFuture();
            });
        }

        private void ended(AzureException why) {
            if (why.condition().equals(AzureException.IDLE)) {
                inbox.rested();
            } else {
                inbox.lost(why);
            }
        }
    }

    private static boolean isLockLost(Throwable refused) {
        return refused instanceof AzureException answer && answer.condition().equals(AzureException.LOCK_LOST);
    }
}
