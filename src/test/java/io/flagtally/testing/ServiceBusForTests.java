package io.flagtally.testing;

import io.flagtally.platform.embedded.LoopbackPort;
import io.vertx.core.Future;
import io.vertx.core.Handler;
import io.vertx.core.Promise;
import io.vertx.core.Vertx;
import io.vertx.core.VertxOptions;
import io.vertx.core.net.NetSocket;
import io.vertx.proton.ProtonConnection;
import io.vertx.proton.ProtonDelivery;
import io.vertx.proton.ProtonLink;
import io.vertx.proton.ProtonReceiver;
import io.vertx.proton.ProtonSender;
import io.vertx.proton.ProtonServer;
import io.vertx.proton.sasl.ProtonSaslAuthenticator;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.stream.Stream;
import org.apache.qpid.proton.amqp.Binary;
import org.apache.qpid.proton.amqp.Symbol;
import org.apache.qpid.proton.amqp.UnsignedLong;
import org.apache.qpid.proton.amqp.messaging.Accepted;
import org.apache.qpid.proton.amqp.messaging.AmqpValue;
import org.apache.qpid.proton.amqp.messaging.ApplicationProperties;
import org.apache.qpid.proton.amqp.messaging.Data;
import org.apache.qpid.proton.amqp.messaging.Rejected;
import org.apache.qpid.proton.amqp.transport.DeliveryState;
import org.apache.qpid.proton.amqp.transport.ErrorCondition;
import org.apache.qpid.proton.engine.Sasl;
import org.apache.qpid.proton.engine.Transport;
import org.apache.qpid.proton.message.Message;
import org.jspecify.annotations.Nullable;

/**
 * A stand-in for Service Bus: AMQP 1.0 over a real socket, locks, a management node for their renewal, messages in the
 * memory of the tests. It takes the key {@link #KEY} and no other, and messages of up to 256 KB. Who comes without
 * a key may use an entity only after a token was shown for it, which was allowed, and until that token ends.
 *
 * <p>It can be harsher than the cloud: of the locks every ninth ends after a tenth of its time; of what is sent every fifth
 * is refused for now, and after every thirteenth the connection is cut before the sender hears that it arrived; of the
 * completions every three-hundredth is not done and cut; and a link that is idle for some seconds is detached. What it has,
 * it keeps while it is stopped.
 */
public final class ServiceBusForTests implements AutoCloseable {

    public static final String KEY = "c2VjcmV0LW9mLXRoZS10ZXN0cw==";
    public static final int BYTES_MAX = 262_144;

    private static final String KEY_NAME = "RootManageSharedAccessKey";
    private static final String MANAGEMENT = "/$management";
    private static final String AUTHORIZATION = "$cbs";
    private static final int EARLY_EVERY = 9;
    private static final int REFUSED_EVERY = 5;
    private static final int CUT_EVERY = 13;
    private static final int UNDONE_EVERY = 300;
    private static final Duration IDLE_MAX = Duration.ofSeconds(4);
    private static final int PATIENCE_SECONDS = 20;

    /** A message as it lies in the queue. */
    public record Kept(byte[] payload, Map<String, String> headers) {}

    private static final class Waiting {
        private final Kept message;
        private int deliveries;
        private long dueNanos;

        Waiting(Kept message) {
            this.message = message;
        }
    }

    private static final class Queue {
        private final Deque<Waiting> ready = new ArrayDeque<>();
        private final Map<UUID, Waiting> lent = new LinkedHashMap<>();
        private final Set<ProtonSender> consumers = new HashSet<>();
    }

    private final int port = LoopbackPort.free();
    private final boolean harsh;
    private final Duration lock;
    private final Map<String, Queue> queues = new HashMap<>();
    private final Map<String, List<String>> subscriptionsOfTopic = new HashMap<>();
    private final Map<String, ProtonSender> replies = new HashMap<>();
    private final Map<ProtonLink<?>, Long> usedNanos = new HashMap<>();
    private final Map<String, Long> endOfToken = new HashMap<>();
    private final Map<ProtonConnection, Map<String, Long>> endOfClaim = new HashMap<>();
    private final Map<ProtonLink<?>, String> entities = new HashMap<>();
    private @Nullable Vertx vertx;
    private long lendings;
    private long renewals;
    private int tokensShown;
    private int sent;
    private int refused;
    private int completed;

    /** @param harsh false makes it friendlier than the cloud */
    public ServiceBusForTests(boolean harsh, Duration lock) {
        this.harsh = harsh;
        this.lock = lock;
    }

    /** Makes a queue. */
    public synchronized ServiceBusForTests queue(String name) {
        queues.put(name, new Queue());
        return this;
    }

    /** Makes a topic with these subscriptions. */
    public synchronized ServiceBusForTests topic(String topic, String... subscriptions) {
        List<String> names = Arrays.stream(subscriptions)
                .map(name -> subscription(topic, name))
                .toList();
        names.forEach(name -> queues.put(name, new Queue()));
        subscriptionsOfTopic.put(topic, names);
        return this;
    }

    /** The name of a subscription as an entity. */
    public static String subscription(String topic, String name) {
        return topic + "/subscriptions/" + name;
    }

    public int port() {
        return port;
    }

    /** What Azure would show, for the stand-in as it is reached at {@code reachedAt}. */
    public static String connectionString(int reachedAt, String key) {
        return "Endpoint=sb://" + LoopbackPort.HOST + ":" + reachedAt + "/;SharedAccessKeyName=" + KEY_NAME
                + ";SharedAccessKey=" + key + ";UseDevelopmentEmulator=true";
    }

    public ServiceBusForTests start() {
        Vertx starting = Vertx.vertx(new VertxOptions().setEventLoopPoolSize(1).setWorkerPoolSize(1));
        vertx = starting;
        Promise<ProtonServer> listening = Promise.promise();
        ProtonServer unused = ProtonServer.create(starting)
                .saslAuthenticatorFactory(KeyOrNobody::new)
                .connectHandler(this::connected)
                .listen(port, LoopbackPort.HOST, listening);
        get(listening.future());
        long ticking = starting.setPeriodic(100, id -> tick());
        return this;
    }

    /** Ends it with all connections; what it has, it keeps. */
    public void stop() {
        Vertx running = vertx;
        if (running != null) {
            vertx = null;
            get(running.close());
            synchronized (this) {
                queues.values().forEach(queue -> queue.consumers.clear());
                replies.clear();
                entities.clear();
                endOfClaim.clear();
                usedNanos.clear();
            }
        }
    }

    @Override
    public void close() {
        stop();
    }

    /** Puts a message into a queue, or every subscription of a topic, past the socket. */
    public synchronized void publish(String entity, Kept message) {
        add(entity, message);
        Vertx running = vertx;
        if (running != null) {
            running.runOnContext(v -> tick());
        }
    }

    /** Messages of the entity that are not completed. */
    public synchronized long backlog(String entity) {
        Queue queue = known(entity);
        return queue.ready.size() + queue.lent.size();
    }

    /** Messages of this entity that are delivered and not settled. */
    public synchronized long lent(String entity) {
        return known(entity).lent.size();
    }

    /** Takes all messages that wait in the entity, past the socket. */
    public synchronized List<Kept> take(String entity) {
        Queue queue = known(entity);
        List<Kept> messages =
                queue.ready.stream().map(waiting -> waiting.message).toList();
        queue.ready.clear();
        return messages;
    }

    /** How often messages of this entity were delivered, as far as they are not completed. */
    public synchronized long deliveries(String entity) {
        Queue queue = known(entity);
        return Stream.concat(queue.ready.stream(), queue.lent.values().stream())
                .mapToLong(message -> message.deliveries)
                .sum();
    }

    /** How many locks were renewed so far. */
    public synchronized long renewals() {
        return renewals;
    }

    /** How many messages were refused for the pace so far. */
    public synchronized int refused() {
        return refused;
    }

    /** Ends the lock of the messages with this text, which somebody has. */
    public synchronized void endLock(String entity, String text) {
        known(entity).lent.values().stream()
                .filter(lent -> new String(lent.message.payload(), StandardCharsets.UTF_8).equals(text))
                .forEach(lent -> lent.dueNanos = System.nanoTime() - 1);
    }

    /** Makes a token worth something for a time. */
    public synchronized void allow(String token, Duration life) {
        endOfToken.put(token, System.nanoTime() + life.toNanos());
    }

    /** How many tokens were shown and accepted so far. */
    public synchronized int tokensShown() {
        return tokensShown;
    }

    private Queue known(String entity) {
        Queue queue = queues.get(entity);
        if (queue == null) {
            throw new IllegalArgumentException("there is no " + entity);
        }
        return queue;
    }

    private void add(String entity, Kept message) {
        for (String name : subscriptionsOfTopic.getOrDefault(entity, List.of(entity))) {
            known(name).ready.add(new Waiting(message));
        }
    }

    private void connected(ProtonConnection connection) {
        ProtonConnection unused = connection
                .setContainer("service-bus-for-tests")
                .openHandler(opened -> connection.open())
                .sessionOpenHandler(session -> session.open())
                .closeHandler(closed -> {
                    connection.close();
                    connection.disconnect();
                })
                .disconnectHandler(ended -> cut(connection))
                .senderOpenHandler(link -> receivedFrom(connection, link))
                .receiverOpenHandler(link -> sentTo(connection, link));
    }

    private synchronized void receivedFrom(ProtonConnection connection, ProtonSender link) {
        String address = link.getRemoteSource().getAddress();
        boolean management = address.endsWith(MANAGEMENT) || address.equals(AUTHORIZATION);
        String entity = entity(address);
        Queue queue = queues.get(entity);
        if (queue == null && !address.equals(AUTHORIZATION)) {
            refuse(link, address);
            return;
        }
        if (!mayUse(connection, link, entity)) {
            return;
        }
        link.setSource(link.getRemoteSource());
        link.setTarget(link.getRemoteTarget());
        if (management) {
            replies.put(link.getRemoteTarget().getAddress(), link);
        } else if (queue != null) {
            link.setAutoSettle(false);
            queue.consumers.add(link);
            usedNanos.put(link, System.nanoTime());
            link.sendQueueDrainHandler(ready -> {
                synchronized (this) {
                    usedNanos.put(link, System.nanoTime());
                    deliver(queue);
                }
            });
        }
        onEnd(link);
        link.open();
    }

    private synchronized void sentTo(ProtonConnection connection, ProtonReceiver link) {
        String address = link.getRemoteTarget().getAddress();
        boolean management = address.endsWith(MANAGEMENT);
        boolean authorization = address.equals(AUTHORIZATION);
        String entity = entity(address);
        if (!queues.containsKey(entity) && !subscriptionsOfTopic.containsKey(entity) && !authorization) {
            refuse(link, address);
            return;
        }
        if (!mayUse(connection, link, entity)) {
            return;
        }
        link.setSource(link.getRemoteSource());
        link.setTarget(link.getRemoteTarget());
        link.setMaxMessageSize(UnsignedLong.valueOf(BYTES_MAX));
        link.setAutoAccept(false);
        link.setPrefetch(100);
        link.handler((delivery, message) -> {
            synchronized (this) {
                usedNanos.put(link, System.nanoTime());
                if (authorization) {
                    delivery.disposition(Accepted.getInstance(), true);
                    authorize(connection, message);
                } else if (management) {
                    delivery.disposition(Accepted.getInstance(), true);
                    manage(entity, message);
                } else {
                    take(connection, entity, delivery, message);
                }
            }
        });
        usedNanos.put(link, System.nanoTime());
        onEnd(link);
        link.open();
    }

    private void take(ProtonConnection from, String entity, ProtonDelivery delivery, Message message) {
        sent++;
        if (harsh && sent % REFUSED_EVERY == 0) {
            refused++;
            Rejected busy = new Rejected();
            busy.setError(condition("com.microsoft:server-busy", "The request was terminated, wait 2 seconds."));
            delivery.disposition(busy, true);
            return;
        }
        add(entity, kept(message));
        if (harsh && sent % CUT_EVERY == 0) {
            cut(from);
        } else {
            delivery.disposition(Accepted.getInstance(), true);
        }
        tick();
    }

    private synchronized void deliver(Queue queue) {
        for (ProtonSender consumer : List.copyOf(queue.consumers)) {
            while (!queue.ready.isEmpty() && consumer.isOpen() && consumer.getCredit() > 0) {
                Waiting next = queue.ready.remove();
                UUID token = UUID.randomUUID();
                lend(queue, token, next);
                usedNanos.put(consumer, System.nanoTime());
                ProtonDelivery unused =
                        consumer.send(tag(token), written(next), delivery -> settled(consumer, queue, token, delivery));
                next.deliveries++;
            }
        }
    }

    private void lend(Queue queue, UUID token, Waiting message) {
        lendings++;
        long nanos = harsh && lendings % EARLY_EVERY == 0 ? lock.toNanos() / 10 : lock.toNanos();
        message.dueNanos = System.nanoTime() + nanos;
        queue.lent.put(token, message);
    }

    private synchronized void settled(ProtonSender over, Queue queue, UUID token, ProtonDelivery delivery) {
        DeliveryState state = delivery.getRemoteState();
        if (state == null || delivery.isSettled()) {
            return;
        }
        boolean complete = state instanceof Accepted;
        if (complete && harsh && ++completed % UNDONE_EVERY == 0) {
            cut(over.getSession().getConnection());
            return;
        }
        Waiting message = queue.lent.remove(token);
        if (message == null) {
            Rejected lost = new Rejected();
            lost.setError(condition("com.microsoft:message-lock-lost", "The lock supplied is invalid."));
            delivery.disposition(lost, true);
            return;
        }
        if (!complete) {
            queue.ready.addFirst(message);
        }
        delivery.disposition(state, true);
        deliver(queue);
    }

    private void manage(String entity, Message request) {
        Map<?, ?> body = (Map<?, ?>) ((AmqpValue) request.getBody()).getValue();
        UUID[] tokens = (UUID[]) Objects.requireNonNull(body.get("lock-tokens"));
        Queue queue = known(entity);
        takeBack(queue);
        boolean known = Arrays.stream(tokens).allMatch(queue.lent::containsKey);
        for (UUID token : tokens) {
            Waiting held = queue.lent.get(token);
            if (known && held != null) {
                renewals++;
                lend(queue, token, held);
            }
        }
        reply(
                request,
                known
                        ? Map.of("statusCode", 200, "statusDescription", "OK")
                        : Map.of(
                                "statusCode",
                                410,
                                "statusDescription",
                                "The lock supplied is invalid.",
                                "errorCondition",
                                Symbol.valueOf("com.microsoft:message-lock-lost")));
    }

    private void reply(Message request, Map<String, Object> properties) {
        Message answer = Message.Factory.create();
        answer.setCorrelationId(request.getMessageId());
        answer.setApplicationProperties(new ApplicationProperties(properties));
        answer.setBody(new AmqpValue(Map.of()));
        ProtonSender to = replies.get(request.getReplyTo());
        if (to != null && to.isOpen()) {
            ProtonDelivery unused = to.send(answer);
        }
    }

    private static String entity(String address) {
        return address.endsWith(MANAGEMENT) ? address.substring(0, address.length() - MANAGEMENT.length()) : address;
    }

    /** Takes a claim for {@code amqp://host/entity}, as long as its token is worth something. */
    private void authorize(ProtonConnection connection, Message request) {
        Map<String, Object> said = request.getApplicationProperties().getValue();
        String audience = String.valueOf(said.get("name"));
        Long end = endOfToken.get(String.valueOf(((AmqpValue) request.getBody()).getValue()));
        boolean wellFormed = "put-token".equals(said.get("operation"))
                && "jwt".equals(said.get("type"))
                && audience.startsWith("amqp://" + LoopbackPort.HOST + "/");
        if (!wellFormed || end == null || end - System.nanoTime() < 0) {
            reply(
                    request,
                    Map.of(
                            "status-code",
                            401,
                            "status-description",
                            "The token has an invalid signature.",
                            "error-condition",
                            Symbol.valueOf("amqp:unauthorized-access")));
            return;
        }
        tokensShown++;
        String entity = audience.substring(("amqp://" + LoopbackPort.HOST + "/").length());
        endOfClaim.computeIfAbsent(connection, any -> new HashMap<>()).put(entity, end);
        reply(request, Map.of("status-code", 202, "status-description", "Accepted"));
    }

    /** Who has the key may use everything, others what a token was shown for. */
    private boolean mayUse(ProtonConnection connection, ProtonLink<?> link, String entity) {
        if (entity.equals(AUTHORIZATION)
                || Boolean.TRUE.equals(connection.attachments().get(KeyOrNobody.HAS_KEY, Boolean.class))) {
            return true;
        }
        Long end = endOfClaim.getOrDefault(connection, Map.of()).get(entity);
        if (end == null || end - System.nanoTime() < 0) {
            link.setSource(null);
            link.setTarget(null);
            link.open();
            link.setCondition(condition("amqp:unauthorized-access", "Unauthorized access. 'Send' claim(s) required."));
            link.close();
            return false;
        }
        entities.put(link, entity);
        return true;
    }

    /** Ends the links whose claim has ended. */
    private void detachUnauthorized() {
        List<ProtonLink<?>> ended = new ArrayList<>();
        entities.forEach((link, entity) -> {
            Long end = endOfClaim
                    .getOrDefault(link.getSession().getConnection(), Map.of())
                    .get(entity);
            if (end == null || end - System.nanoTime() < 0) {
                ended.add(link);
            }
        });
        for (ProtonLink<?> link : ended) {
            forget(link);
            link.setCondition(condition("amqp:unauthorized-access", "ExpiredToken: the token is expired."));
            link.close();
        }
    }

    private synchronized void tick() {
        detachUnauthorized();
        queues.values().forEach(queue -> {
            takeBack(queue);
            deliver(queue);
        });
        if (harsh) {
            detachIdle();
        }
    }

    private static void takeBack(Queue queue) {
        long now = System.nanoTime();
        List<UUID> due = queue.lent.entrySet().stream()
                .filter(entry -> entry.getValue().dueNanos - now < 0)
                .map(Map.Entry::getKey)
                .toList();
        due.forEach(token -> queue.ready.addFirst(queue.lent.remove(token)));
    }

    private void detachIdle() {
        long before = System.nanoTime() - IDLE_MAX.toNanos();
        List<ProtonLink<?>> idle = new ArrayList<>();
        usedNanos.forEach((link, used) -> {
            if (used - before < 0) {
                idle.add(link);
            }
        });
        for (ProtonLink<?> link : idle) {
            forget(link);
            link.setCondition(condition("amqp:link:detach-forced", "The link is force detached: it was idle."));
            link.close();
        }
    }

    private void onEnd(ProtonLink<?> link) {
        link.closeHandler(closed -> {
            forget(link);
            link.close();
        });
        link.detachHandler(detached -> {
            forget(link);
            link.detach();
        });
    }

    private synchronized void forget(ProtonLink<?> link) {
        usedNanos.remove(link);
        queues.values().forEach(queue -> queue.consumers.remove(link));
        replies.values().remove(link);
        entities.remove(link);
    }

    /** What was lent over the connection stays locked. */
    private synchronized void cut(ProtonConnection connection) {
        queues.values()
                .forEach(queue ->
                        queue.consumers.removeIf(link -> link.getSession().getConnection() == connection));
        usedNanos.keySet().removeIf(link -> link.getSession().getConnection() == connection);
        replies.values().removeIf(link -> link.getSession().getConnection() == connection);
        entities.keySet().removeIf(link -> link.getSession().getConnection() == connection);
        endOfClaim.remove(connection);
        connection.disconnect();
    }

    /** As Service Bus does: a link that leads nowhere, and then the reason. */
    private static void refuse(ProtonLink<?> link, String address) {
        link.setSource(null);
        link.setTarget(null);
        link.open();
        link.setCondition(condition("amqp:not-found", "The messaging entity '" + address + "' could not be found."));
        link.close();
    }

    private static ErrorCondition condition(String name, String description) {
        return new ErrorCondition(Symbol.valueOf(name), description);
    }

    private static Kept kept(Message message) {
        Map<String, String> headers = new HashMap<>();
        message.getApplicationProperties()
                .getValue()
                .forEach((name, value) -> headers.put(name, String.valueOf(value)));
        if (message.getContentType() != null) {
            headers.put("content-type", message.getContentType());
        }
        Binary body = ((Data) message.getBody()).getValue();
        return new Kept(
                Arrays.copyOfRange(body.getArray(), body.getArrayOffset(), body.getArrayOffset() + body.getLength()),
                headers);
    }

    private static Message written(Waiting waiting) {
        Message message = Message.Factory.create();
        Map<String, Object> properties = new HashMap<>(waiting.message.headers());
        Object type = properties.remove("content-type");
        if (type != null) {
            message.setContentType(type.toString());
        }
        message.setApplicationProperties(new ApplicationProperties(properties));
        message.setBody(new Data(new Binary(waiting.message.payload())));
        message.setDeliveryCount(waiting.deliveries);
        return message;
    }

    /** The token as .NET writes a GUID. */
    private static byte[] tag(UUID token) {
        long high = token.getMostSignificantBits();
        return ByteBuffer.allocate(16)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putInt((int) (high >>> 32))
                .putShort((short) (high >>> 16))
                .putShort((short) high)
                .order(ByteOrder.BIG_ENDIAN)
                .putLong(token.getLeastSignificantBits())
                .array();
    }

    private static <T> T get(Future<T> future) {
        try {
            return future.toCompletionStage().toCompletableFuture().get(PATIENCE_SECONDS, TimeUnit.SECONDS);
        } catch (InterruptedException | ExecutionException | TimeoutException e) {
            throw new IllegalStateException(e);
        }
    }

    /** SASL PLAIN with the name and the key of the policy, or ANONYMOUS. */
    private static final class KeyOrNobody implements ProtonSaslAuthenticator {

        private static final String HAS_KEY = "has-key";

        private @Nullable Sasl sasl;
        private @Nullable ProtonConnection asking;
        private boolean succeeded;

        @Override
        public void init(NetSocket socket, ProtonConnection connection, Transport transport) {
            Sasl server = transport.sasl();
            server.server();
            server.allowSkip(false);
            server.setMechanisms("PLAIN", "ANONYMOUS");
            sasl = server;
            asking = connection;
        }

        @Override
        public void process(Handler<Boolean> done) {
            Sasl server = sasl;
            if (server == null || server.getRemoteMechanisms().length == 0) {
                done.handle(false);
                return;
            }
            boolean anonymous = server.getRemoteMechanisms()[0].equals("ANONYMOUS");
            byte[] said = new byte[server.pending()];
            int unused = server.recv(said, 0, said.length);
            boolean hasKey = new String(said, StandardCharsets.UTF_8).equals("\0" + KEY_NAME + "\0" + KEY);
            succeeded = anonymous || hasKey;
            if (asking != null) {
                asking.attachments().set(HAS_KEY, Boolean.class, !anonymous && hasKey);
            }
            server.done(succeeded ? Sasl.SaslOutcome.PN_SASL_OK : Sasl.SaslOutcome.PN_SASL_AUTH);
            done.handle(true);
        }

        @Override
        public boolean succeeded() {
            return succeeded;
        }
    }
}
