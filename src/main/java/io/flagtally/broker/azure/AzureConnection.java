package io.flagtally.broker.azure;

import io.smallrye.mutiny.Uni;
import io.vertx.core.AsyncResult;
import io.vertx.core.Context;
import io.vertx.core.Future;
import io.vertx.core.Handler;
import io.vertx.core.Promise;
import io.vertx.core.Vertx;
import io.vertx.core.impl.VertxInternal;
import io.vertx.proton.ProtonClient;
import io.vertx.proton.ProtonClientOptions;
import io.vertx.proton.ProtonConnection;
import io.vertx.proton.ProtonDelivery;
import io.vertx.proton.ProtonLink;
import io.vertx.proton.ProtonReceiver;
import io.vertx.proton.ProtonSender;
import io.vertx.proton.impl.ProtonDeliveryImpl;
import java.time.Duration;
import java.util.Date;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CompletionStage;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.function.Supplier;
import org.apache.qpid.proton.amqp.messaging.Accepted;
import org.apache.qpid.proton.amqp.messaging.Rejected;
import org.apache.qpid.proton.amqp.transport.DeliveryState;
import org.apache.qpid.proton.message.Message;
import org.jspecify.annotations.Nullable;

/**
 * A connection to Service Bus, which is not made again when it is lost. Whatever waits for an answer fails when the
 * connection ends, and an answer that does not come within {@value #ANSWER_MILLIS} ms ends it.
 *
 * <p>All state belongs to one event loop: {@link #call} brings work there, and all that returns a {@link Future} is called
 * there.
 */
final class AzureConnection {

    static final int CONNECT_MILLIS = 5_000;
    static final int ANSWER_MILLIS = 10_000;

    private static final int HEARTBEAT_MILLIS = 30_000;
    private static final int TOKEN_AGAIN_MILLIS = 10_000;
    private static final String AUTHORIZATION = "$cbs";

    private final Vertx vertx;
    private final Context context;
    private final AzureEndpoint endpoint;
    private final @Nullable AzureIdentity identity;
    private final Consumer<Throwable> lost;
    private final AzureNode authorization = new AzureNode(this, AUTHORIZATION);
    private final Map<String, Long> renewalOfEntity = new HashMap<>();
    private final Set<Promise<?>> awaited = new HashSet<>();
    private @Nullable ProtonConnection proton;
    private volatile boolean ended;

    private AzureConnection(
            Vertx vertx, AzureEndpoint endpoint, @Nullable AzureIdentity identity, Consumer<Throwable> lost) {
        this.vertx = vertx;
        this.endpoint = endpoint;
        this.identity = identity;
        this.context = ((VertxInternal) vertx).createEventLoopContext();
        this.lost = lost;
    }

    /**
     * Connects; fails if Service Bus does not answer within {@value #CONNECT_MILLIS} ms.
     *
     * @param identity who calls, unless the endpoint has a key
     * @param lost is told once when the connection is gone, unless {@link #close} was called
     */
    static Uni<AzureConnection> open(
            Vertx vertx, AzureEndpoint endpoint, @Nullable AzureIdentity identity, Consumer<Throwable> lost) {
        AzureConnection fresh = new AzureConnection(vertx, endpoint, identity, lost);
        return fresh.call(fresh::connect);
    }

    /** Whether it is gone; may be asked by any thread. */
    boolean isEnded() {
        return ended;
    }

    /** Does this on the event loop when it is subscribed to. */
    <T> Uni<T> call(Supplier<Future<T>> work) {
        return Uni.createFrom()
                .emitter(emitter -> context.runOnContext(ignored -> {
                    Future<T> done;
                    try {
                        done = work.get();
                    } catch (RuntimeException e) {
                        done = Future.failedFuture(e);
                    }
                    done.onSuccess(emitter::complete).onFailure(emitter::fail);
                }));
    }

    /** Lets an identity use {@code entity}, and goes on doing so before its tokens end; nothing to do for a key. */
    Future<Void> authorize(String entity) {
        return identity == null || renewalOfEntity.containsKey(entity)
                ? Future.succeededFuture()
                : showToken(identity, entity);
    }

    /** @param end is told when Service Bus ends the link, while the connection may live on */
    Future<ProtonSender> sender(String address, Consumer<AzureException> end) {
        return attach(proton -> proton.createSender(address), link -> link.getRemoteTarget() != null, end);
    }

    /** A link without credit; {@code make} names the address and what is done with messages. */
    Future<ProtonReceiver> receiver(Function<ProtonConnection, ProtonReceiver> make, Consumer<AzureException> end) {
        return attach(make, link -> link.getRemoteSource() != null, end);
    }

    /** Done when Service Bus has the message. */
    Future<Void> send(ProtonSender over, Message message) {
        Promise<Void> sent = await(ANSWER_MILLIS);
        if (!sent.future().isComplete()) {
            ProtonDelivery unused = over.send(message, delivery -> tell(sent, delivery));
        }
        return sent.future();
    }

    /** Done when Service Bus has confirmed that it took {@code state}. */
    Future<Void> settle(ProtonDelivery delivery, DeliveryState state) {
        Promise<Void> settled = await(ANSWER_MILLIS);
        var listening = ((ProtonDeliveryImpl) delivery).handler(updated -> {
            if (updated.remotelySettled()) {
                tell(settled, updated.settle());
            }
        });
        ProtonDelivery said = delivery.disposition(state, false);
        return settled.future();
    }

    /** A promise that ends with the connection, and the connection with it if nobody keeps it for so long. */
    <T> Promise<T> await(int millis) {
        Promise<T> promise = Promise.promise();
        if (ended) {
            promise.fail(AzureException.away("the connection has ended"));
            return promise;
        }
        awaited.add(promise);
        long timer = vertx.setTimer(millis, id -> {
            if (!promise.future().isComplete()) {
                end(AzureException.away("no answer in " + millis / 1000 + " s"));
            }
        });
        promise.future().onComplete(done -> {
            vertx.cancelTimer(timer);
            awaited.remove(promise);
        });
        return promise;
    }

    /** Lets what was said before go out, and blocks nobody. Done when Service Bus has heard it, or says nothing. */
    CompletionStage<Void> close() {
        Promise<Void> closed = Promise.promise();
        context.runOnContext(ignored -> {
            ProtonConnection open = ended ? null : proton;
            if (!ended) {
                ended = true;
                giveUp(AzureException.away("the connection was closed"));
            }
            if (open == null) {
                closed.complete();
            } else {
                goodbye(open, closed);
            }
        });
        return closed.future().toCompletionStage();
    }

    private void goodbye(ProtonConnection open, Promise<Void> closed) {
        ProtonConnection closing = open.closeHandler(done -> open.disconnect())
                .disconnectHandler(done -> closed.tryComplete())
                .close();
        long forced = vertx.setTimer(CONNECT_MILLIS, id -> {
            closing.disconnect();
            boolean unused = closed.tryComplete();
        });
    }

    private Future<AzureConnection> connect() {
        Promise<AzureConnection> opened = await(CONNECT_MILLIS);
        ProtonClient.create(vertx)
                .connect(options(), endpoint.host(), endpoint.port(), endpoint.keyName(), endpoint.key(), made -> {
                    if (made.failed()) {
                        end(made.cause());
                    } else if (ended) {
                        made.result().disconnect();
                    } else {
                        proton = made.result();
                        greet(made.result(), opened);
                    }
                });
        return opened.future();
    }

    private ProtonClientOptions options() {
        ProtonClientOptions options = new ProtonClientOptions()
                .addEnabledSaslMechanism(identity == null ? "PLAIN" : "ANONYMOUS")
                .setHeartbeat(HEARTBEAT_MILLIS)
                .setConnectTimeout(CONNECT_MILLIS)
                .setSsl(endpoint.tls());
        return endpoint.tls() ? options.setHostnameVerificationAlgorithm("HTTPS") : options;
    }

    private void greet(ProtonConnection made, Promise<AzureConnection> opened) {
        Handler<Object> closed = done -> end(AzureException.of(made.getRemoteCondition()));
        ProtonConnection opening = made.setContainer("flagtally-" + UUID.randomUUID())
                .openHandler(done -> {
                    if (done.succeeded()) {
                        boolean unused = opened.tryComplete(this);
                    } else {
                        closed.handle(done);
                    }
                })
                .closeHandler(closed::handle)
                .disconnectHandler(done -> end(AzureException.away("the connection ended")))
                .open();
    }

    private Future<Void> showToken(AzureIdentity who, String entity) {
        Promise<AzureIdentity.Token> got = await(ANSWER_MILLIS);
        who.token().onComplete(done -> context.runOnContext(ignored -> got.handle(done)));
        return got.future()
                .compose(token -> authorization
                        .ask(
                                Map.of(
                                        "operation",
                                        "put-token",
                                        "type",
                                        "jwt",
                                        "name",
                                        "amqp://" + endpoint.host() + "/" + entity,
                                        "expiration",
                                        Date.from(token.endsAt())),
                                token.text())
                        .onSuccess(shown -> showTokenAgain(who, entity, who.untilRenewal(token))));
    }

    /** Service Bus ends the links of an entity whose token has ended; until then it is tried again. */
    private void showTokenAgain(AzureIdentity who, String entity, Duration pause) {
        if (ended) {
            return;
        }
        long timer = vertx.setTimer(
                Math.max(1, pause.toMillis()),
                id -> showToken(who, entity)
                        .onFailure(why -> showTokenAgain(who, entity, Duration.ofMillis(TOKEN_AGAIN_MILLIS))));
        renewalOfEntity.put(entity, timer);
    }

    /** A refusal attaches a link that leads nowhere, and its reason follows. */
    private <L extends ProtonLink<L>> Future<L> attach(
            Function<ProtonConnection, L> make, Predicate<L> leadsSomewhere, Consumer<AzureException> end) {
        Promise<L> attached = await(ANSWER_MILLIS);
        ProtonConnection open = proton;
        if (open == null || attached.future().isComplete()) {
            boolean unused = attached.tryFail(AzureException.away("the connection has ended"));
            return attached.future();
        }
        L link = make.apply(open);
        Handler<AsyncResult<L>> ending = done -> {
            AzureException why = AzureException.of(link.getRemoteCondition());
            boolean refused = attached.tryFail(why);
            L closed = link.closeHandler(null).detachHandler(null).close();
            if (!refused) {
                end.accept(why);
            }
        };
        L opening = link.openHandler(done -> {
                    if (done.succeeded() && leadsSomewhere.test(link)) {
                        boolean unused = attached.tryComplete(link);
                    }
                })
                .closeHandler(ending)
                .detachHandler(ending)
                .open();
        return attached.future();
    }

    private void end(Throwable why) {
        if (ended) {
            return;
        }
        ended = true;
        ProtonConnection open = proton;
        if (open != null) {
            open.disconnect();
        }
        giveUp(why);
        lost.accept(why);
    }

    private void giveUp(Throwable why) {
        renewalOfEntity.values().forEach(vertx::cancelTimer);
        for (Promise<?> promise : List.copyOf(awaited)) {
            boolean unused = promise.tryFail(why);
        }
    }

    private static void tell(Promise<Void> waiting, ProtonDelivery delivery) {
        DeliveryState state = delivery.getRemoteState();
        if (state instanceof Rejected refused) {
            boolean unused = waiting.tryFail(AzureException.of(refused.getError()));
        } else if (state instanceof Accepted) {
            boolean unused = waiting.tryComplete();
        } else if (delivery.remotelySettled()) {
            boolean unused = waiting.tryFail(AzureException.away("it answered " + state));
        }
    }
}
