package io.flagtally.testing;

import com.google.protobuf.Empty;
import com.google.pubsub.v1.AcknowledgeRequest;
import com.google.pubsub.v1.GetSubscriptionRequest;
import com.google.pubsub.v1.GetTopicRequest;
import com.google.pubsub.v1.ModifyAckDeadlineRequest;
import com.google.pubsub.v1.PublishRequest;
import com.google.pubsub.v1.PublishResponse;
import com.google.pubsub.v1.PublisherGrpc;
import com.google.pubsub.v1.PubsubMessage;
import com.google.pubsub.v1.PullRequest;
import com.google.pubsub.v1.PullResponse;
import com.google.pubsub.v1.ReceivedMessage;
import com.google.pubsub.v1.SubscriberGrpc;
import com.google.pubsub.v1.Subscription;
import com.google.pubsub.v1.Topic;
import io.flagtally.platform.embedded.LoopbackPort;
import io.grpc.Context;
import io.grpc.Server;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.netty.shaded.io.grpc.netty.NettyServerBuilder;
import io.grpc.stub.StreamObserver;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.UUID;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.logging.Level;
import java.util.logging.Logger;
import org.jspecify.annotations.Nullable;

/**
 * A stand-in for Pub/Sub: its protocol over a real socket, messages in the memory of the tests. What it has, it keeps while
 * it is stopped.
 *
 * <p>It is harsher than the cloud. Its subscriptions lend for 2 seconds, where the cloud's shortest is 10, and of the leases
 * every 17th ends after a tenth of its time. Of the calls of each kind every fifth is refused, for being away or for its pace
 * in turns; every seventh has its effect but is answered with a failure. Every eleventh acknowledgement is confirmed and
 * forgotten. Every 5 seconds a connection is cut, whatever is on its way.
 */
public final class PubSubForTests implements AutoCloseable {

    public static final String PROJECT = "contract-project";

    /** Tells with a trace of each call that its connection was cut, which is what is wanted here. */
    private static final Logger OF_CUTS = Logger.getLogger("io.grpc.netty.shaded.io.grpc.netty.NettyServerHandler");

    static {
        OF_CUTS.setLevel(Level.SEVERE);
    }

    private static final int REFUSED_EVERY = 5;
    private static final int LOST_EVERY = 7;
    private static final int FORGOTTEN_EVERY = 11;
    private static final int REQUEST_BYTES_MAX = 10_000_000;
    private static final int ATTRIBUTES_MAX = 100;
    private static final int TEXT_BYTES_MAX = 1024;
    private static final Duration CONNECTION_MAX = Duration.ofSeconds(5);
    private static final Duration LEASE = Duration.ofSeconds(2);
    private static final Duration PULL_WAIT = Duration.ofSeconds(2);

    /** What happens to the calls of one kind. */
    private final class Faults {
        private final int lostEvery;
        private final AtomicInteger calls = new AtomicInteger();

        Faults(int lostEvery) {
            this.lostEvery = lostEvery;
        }

        /** Refuses some calls; returns whether the effect of this one, or its answer, shall be lost. */
        boolean nextIsLost() {
            int call = calls.incrementAndGet();
            if (harsh && call % REFUSED_EVERY == 0) {
                boolean away = call % (2 * REFUSED_EVERY) == 0;
                throw (away ? Status.UNAVAILABLE : Status.RESOURCE_EXHAUSTED)
                        .withDescription("try again")
                        .asRuntimeException();
            }
            return harsh && call % lostEvery == 0;
        }
    }

    private final int port = LoopbackPort.free();
    private final boolean harsh;
    private final Map<String, List<PubSubSubscription>> topics = new HashMap<>();
    private final Map<String, PubSubSubscription> subscriptions = new HashMap<>();
    private final Map<String, Status> refused = new HashMap<>();
    private @Nullable Server server;

    /** @param harsh false makes it as friendly as an emulator */
    public PubSubForTests(boolean harsh) {
        this.harsh = harsh;
    }

    /** Makes a topic with these subscriptions. */
    public PubSubForTests topic(String topic, String... ofTopic) {
        return topic(false, topic, ofTopic);
    }

    /** Makes a topic with these subscriptions, which keep the order of a key. */
    public PubSubForTests orderedTopic(String topic, String... ofTopic) {
        return topic(true, topic, ofTopic);
    }

    private synchronized PubSubForTests topic(boolean ordered, String topic, String... ofTopic) {
        List<PubSubSubscription> made = new ArrayList<>();
        for (String name : ofTopic) {
            PubSubSubscription each = new PubSubSubscription(subscriptionName(name), ordered, LEASE, harsh);
            made.add(each);
            subscriptions.put(subscriptionName(name), each);
        }
        topics.put(topicName(topic), made);
        return this;
    }

    /** Moves what was lent this often, and is not acknowledged, to {@code topic}. */
    public synchronized PubSubForTests deadLetters(String subscription, int attempts, String topic) {
        subscription(subscriptionName(subscription)).deadLetters(attempts, message -> add(topicName(topic), message));
        return this;
    }

    /** Refuses whoever asks for this topic or subscription. */
    public synchronized PubSubForTests refuse(String name, Status why) {
        refused.put(topicName(name), why);
        refused.put(subscriptionName(name), why);
        return this;
    }

    public int port() {
        return port;
    }

    public PubSubForTests start() {
        NettyServerBuilder builder = NettyServerBuilder.forAddress(new InetSocketAddress(LoopbackPort.HOST, port))
                .maxInboundMessageSize(REQUEST_BYTES_MAX * 2)
                .addService(new Publishing())
                .addService(new Subscribing());
        if (harsh) {
            builder.maxConnectionAge(CONNECTION_MAX.toMillis(), TimeUnit.MILLISECONDS)
                    .maxConnectionAgeGrace(0, TimeUnit.MILLISECONDS);
        }
        try {
            server = builder.build().start();
            return this;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Ends it with all connections; what it has, it keeps. */
    public void stop() {
        Server running = server;
        if (running != null) {
            try {
                boolean unused = running.shutdownNow().awaitTermination(10, TimeUnit.SECONDS);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
            server = null;
        }
    }

    @Override
    public void close() {
        stop();
    }

    /** Puts a message into every subscription of {@code topic}, past the socket. */
    public synchronized void publish(String topic, PubsubMessage message) {
        add(topicName(topic), message);
    }

    /** Messages of {@code subscription} that are not acknowledged. */
    public synchronized long backlog(String subscription) {
        return subscription(subscriptionName(subscription)).backlog();
    }

    /** Messages of {@code subscription} that are delivered and not acknowledged. */
    public synchronized long lent(String subscription) {
        return subscription(subscriptionName(subscription)).lent();
    }

    /** Takes all messages of {@code subscription} that are not acknowledged, past the socket. */
    public synchronized List<PubsubMessage> take(String subscription) {
        return subscription(subscriptionName(subscription)).take();
    }

    private static String topicName(String topic) {
        return "projects/" + PROJECT + "/topics/" + topic;
    }

    private static String subscriptionName(String subscription) {
        return "projects/" + PROJECT + "/subscriptions/" + subscription;
    }

    private List<PubSubSubscription> ofTopic(String name) {
        return found(name, "topics", topics.get(name));
    }

    private PubSubSubscription subscription(String name) {
        return found(name, "subscriptions", subscriptions.get(name));
    }

    private <T> T found(String name, String kind, @Nullable T wanted) {
        Status why = refused.get(name);
        if (why == null && !name.matches("projects/[^/]+/" + kind + "/[A-Za-z][\\w.~+%-]{2,254}")) {
            why = Status.INVALID_ARGUMENT.withDescription("Invalid resource name given (name=" + name + ").");
        } else if (why == null && wanted == null) {
            why = Status.NOT_FOUND.withDescription("Resource not found (resource=" + name + ").");
        }
        if (why != null) {
            throw why.asRuntimeException();
        }
        return Objects.requireNonNull(wanted);
    }

    private void add(String topic, PubsubMessage message) {
        ofTopic(topic).forEach(subscription -> subscription.add(message));
        notifyAll();
    }

    private synchronized void publish(PublishRequest request) {
        boolean takes = request.getSerializedSize() <= REQUEST_BYTES_MAX
                && request.getMessagesList().stream().allMatch(PubSubForTests::isWithinLimits);
        if (!takes) {
            throw Status.INVALID_ARGUMENT
                    .withDescription("The value for message is too large.")
                    .asRuntimeException();
        }
        request.getMessagesList().forEach(message -> add(request.getTopic(), message));
    }

    private static boolean isWithinLimits(PubsubMessage message) {
        return message.getAttributesCount() <= ATTRIBUTES_MAX
                && bytes(message.getOrderingKey()) <= TEXT_BYTES_MAX
                && message.getAttributesMap().values().stream().allMatch(value -> bytes(value) <= TEXT_BYTES_MAX);
    }

    private static int bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8).length;
    }

    /** Waits for messages, as Pub/Sub does; lends nothing to a caller who has gone meanwhile. */
    private synchronized PullResponse pull(PullRequest request) throws InterruptedException {
        PubSubSubscription subscription = subscription(request.getSubscription());
        long until = System.nanoTime() + PULL_WAIT.toNanos();
        List<ReceivedMessage> lent = List.of();
        while (lent.isEmpty() && System.nanoTime() < until && !Context.current().isCancelled()) {
            lent = subscription.lend(request.getMaxMessages());
            if (lent.isEmpty()) {
                wait(50);
            }
        }
        return PullResponse.newBuilder().addAllReceivedMessages(lent).build();
    }

    private synchronized void extend(ModifyAckDeadlineRequest request) {
        subscription(request.getSubscription())
                .extend(request.getAckIdsList(), Duration.ofSeconds(request.getAckDeadlineSeconds()));
        notifyAll();
    }

    private synchronized void acknowledge(AcknowledgeRequest request) {
        subscription(request.getSubscription()).acknowledge(request.getAckIdsList());
        notifyAll();
    }

    /** Answers with what {@code work} returns, or with its failure. */
    private static <T> void answer(StreamObserver<T> to, Callable<T> work) {
        T answer;
        try {
            answer = work.call();
        } catch (StatusRuntimeException e) {
            to.onError(e);
            return;
        } catch (Exception e) {
            to.onError(Status.UNAVAILABLE.withCause(e).asRuntimeException());
            return;
        }
        to.onNext(answer);
        to.onCompleted();
    }

    private static <T> T unless(boolean lost, T answer) {
        if (lost) {
            throw Status.ABORTED.withDescription("the answer was lost").asRuntimeException();
        }
        return answer;
    }

    private final class Publishing extends PublisherGrpc.PublisherImplBase {
        private final Faults faults = new Faults(LOST_EVERY);

        @Override
        public void getTopic(GetTopicRequest request, StreamObserver<Topic> to) {
            answer(to, () -> {
                synchronized (PubSubForTests.this) {
                    Object unused = ofTopic(request.getTopic());
                }
                return Topic.newBuilder().setName(request.getTopic()).build();
            });
        }

        @Override
        public void publish(PublishRequest request, StreamObserver<PublishResponse> to) {
            answer(to, () -> {
                boolean lost = faults.nextIsLost();
                PubSubForTests.this.publish(request);
                PublishResponse.Builder ids = PublishResponse.newBuilder();
                request.getMessagesList()
                        .forEach(message -> ids.addMessageIds(UUID.randomUUID().toString()));
                return unless(lost, ids.build());
            });
        }
    }

    private final class Subscribing extends SubscriberGrpc.SubscriberImplBase {
        private final Faults ofPulls = new Faults(LOST_EVERY);
        private final Faults ofLeases = new Faults(LOST_EVERY);
        private final Faults ofAcknowledgements = new Faults(FORGOTTEN_EVERY);

        @Override
        public void getSubscription(GetSubscriptionRequest request, StreamObserver<Subscription> to) {
            answer(to, () -> {
                synchronized (PubSubForTests.this) {
                    return Subscription.newBuilder()
                            .setName(request.getSubscription())
                            .setEnableMessageOrdering(
                                    subscription(request.getSubscription()).isOrdered())
                            .build();
                }
            });
        }

        @Override
        public void pull(PullRequest request, StreamObserver<PullResponse> to) {
            answer(to, () -> {
                boolean lost = ofPulls.nextIsLost();
                return unless(lost, PubSubForTests.this.pull(request));
            });
        }

        @Override
        public void modifyAckDeadline(ModifyAckDeadlineRequest request, StreamObserver<Empty> to) {
            answer(to, () -> {
                boolean lost = ofLeases.nextIsLost();
                extend(request);
                return unless(lost, Empty.getDefaultInstance());
            });
        }

        @Override
        public void acknowledge(AcknowledgeRequest request, StreamObserver<Empty> to) {
            answer(to, () -> {
                if (!ofAcknowledgements.nextIsLost()) {
                    PubSubForTests.this.acknowledge(request);
                }
                return Empty.getDefaultInstance();
            });
        }
    }
}
