package io.flagtally.broker.redisstreams;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.flagtally.platform.redis.RedisDurability;
import io.flagtally.platform.redis.RedisPlace;
import io.flagtally.testing.RedisServerForTests;
import io.flagtally.testing.TestConfigs;
import io.smallrye.mutiny.helpers.test.AssertSubscriber;
import io.vertx.mutiny.core.Vertx;
import io.vertx.mutiny.redis.client.Command;
import io.vertx.mutiny.redis.client.Redis;
import io.vertx.mutiny.redis.client.Request;
import io.vertx.mutiny.redis.client.Response;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Flow.Subscription;
import java.util.concurrent.TimeUnit;
import org.eclipse.microprofile.reactive.messaging.Message;
import org.eclipse.microprofile.reactive.messaging.Metadata;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Both sides of the connector against a real Redis. */
class RedisStreamsTest {

    private static final Duration PATIENCE = Duration.ofSeconds(30);
    private static final Duration TIMEOUT = Duration.ofSeconds(2);
    private static final String PLACE = "events";
    private static final String STREAM = "events:{0}";
    private static final String GROUP = "counts";

    private final RedisServerForTests redis = RedisServerForTests.start();
    private final Vertx vertx = Vertx.vertx();
    private final RedisPlace place = RedisPlace.standalone(redis.url());
    private final List<AutoCloseable> open = new ArrayList<>();
    private @Nullable Redis client;

    @AfterEach
    void close() throws Exception {
        for (AutoCloseable each : open) {
            each.close();
        }
        vertx.closeAndAwait();
        redis.close();
    }

    @Test
    void publish_thenConsume_carriesBytesAndHeaders() {
        byte[] bytes = {0, 1, (byte) 0xFF, '\r', '\n'};
        publish(publisher(10), bytes).join();

        Message<byte[]> message = next(consume(config(), "one"), 1).get(0);

        assertEquals(List.of((byte) 0, (byte) 1), List.of(message.getPayload()[0], message.getPayload()[1]));
        assertEquals(bytes.length, message.getPayload().length);
        StreamEntry entry = message.getMetadata(StreamEntry.class).orElseThrow();
        assertEquals(Map.of("content-type", "text/ä"), entry.headers());
        assertFalse(entry.redelivered());
    }

    @Test
    void publish_streamFullOfUnread_isRefusedUntilItIsAcknowledged() {
        StreamPublisher publisher = publisher(5);
        for (int i = 0; i < 5; i++) {
            publish(publisher, text(i)).join();
        }

        Throwable refusal =
                publish(publisher, text(5)).handle((done, failure) -> failure).join();

        assertTrue(String.valueOf(refusal).contains("the stream events:{0} is full"), String.valueOf(refusal));
        assertEquals(5, run(Command.XLEN, STREAM).toLong(), "nothing unread was trimmed");
        next(consume(config(), "one"), 5)
                .forEach(message -> message.ack().toCompletableFuture().join());
        publish(publisher, text(5)).join();
    }

    @Test
    void publish_dropOldest_keepsTheNewest() {
        StreamPublisher publisher = opened(new StreamPublisher(
                link(), new StreamKeys(PLACE, 1), new StreamPublisher.Bound(10, true), RedisDurability.LOCAL, 8));
        publisher.onSubscribe(new NoDemand());

        publishAll(publisher, 300);

        long kept = run(Command.XLEN, STREAM).toLong();
        assertTrue(kept >= 10 && kept < 300, "kept " + kept);
    }

    @Test
    void publish_redisAway_isRefusedInTimeAndWorksAgain() {
        StreamPublisher publisher = publisher(10);
        redis.pause();
        Throwable refusal = publish(publisher, text(0))
                .orTimeout(20, TimeUnit.SECONDS)
                .handle((done, failure) -> failure)
                .join();
        assertTrue(refusal != null, "a message whose fate is unknown is refused");
        redis.resume();

        publish(publisher, text(1)).join();
    }

    @Test
    void publish_durabilityReplica_isRefusedUntilAReplicaHasIt() {
        RedisDurability durability = new RedisDurability(RedisDurability.Level.REPLICA, 1, Duration.ofMillis(500));
        StreamPublisher publisher = opened(new StreamPublisher(
                link(), new StreamKeys(PLACE, 1), new StreamPublisher.Bound(10, false), durability, 8));
        publisher.onSubscribe(new NoDemand());

        Throwable refusal =
                publish(publisher, text(0)).handle((done, failure) -> failure).join();

        assertTrue(String.valueOf(refusal).contains("0 of 1 replicas"), String.valueOf(refusal));
        try (RedisServerForTests replica = RedisServerForTests.start()) {
            replica.follow(redis);
            await().atMost(PATIENCE)
                    .until(() -> publish(publisher, text(1))
                            .handle((done, failure) -> failure == null)
                            .join());
            replica.pause();
            Throwable paused = publish(publisher, text(2))
                    .handle((done, failure) -> failure)
                    .join();
            assertTrue(String.valueOf(paused).contains("0 of 1 replicas"), String.valueOf(paused));
            replica.resume();
        }
    }

    @Test
    void acknowledge_all_trimsTheStream() {
        publishMany(20);
        next(consume(config(), "one"), 20).forEach(RedisStreamsTest::ack);

        await().atMost(PATIENCE).until(() -> run(Command.XLEN, STREAM).toLong() == 0);
    }

    @Test
    void trim_anotherGroupHasNotRead_keepsEverything() throws InterruptedException {
        Response unused = run(Command.XGROUP, "CREATE", STREAM, "other", "0", "MKSTREAM");
        publishMany(20);
        next(consume(config(), "one"), 20).forEach(RedisStreamsTest::ack);
        await().atMost(PATIENCE).until(() -> pending() == 0);
        Thread.sleep(1_000);

        assertEquals(20, run(Command.XLEN, STREAM).toLong());

        Response read = run(Command.XREADGROUP, "GROUP", "other", "x", "COUNT", "5", "STREAMS", STREAM, ">");
        String third = read.get(STREAM).get(2).get(0).toString();
        read.get(STREAM).forEach(entry -> {
            String id = entry.get(0).toString();
            Response acked = id.equals(third) ? null : run(Command.XACK, STREAM, "other", id);
        });
        await().atMost(PATIENCE).until(() -> run(Command.XLEN, STREAM).toLong() == 18);
        String first = run(Command.XRANGE, STREAM, "-", "+").get(0).get(0).toString();
        assertEquals(third, first, "not past what a group has read and not acknowledged");
    }

    @Test
    void consume_nothingAsked_fetchesNoMoreThanItsBounds() throws InterruptedException {
        publishMany(200);
        AssertSubscriber<Message<byte[]>> subscriber =
                consume(config("flagtally.redis-streams.fetch-max", "10"), "one");
        List<Message<byte[]>> some = next(subscriber, 30);
        Thread.sleep(500);

        assertTrue(pending() <= 30 + 2 * 10, "fetched " + pending());
        assertEquals(30, some.size());
    }

    @Test
    void consume_inFlightMax_waitsForAcknowledgements() {
        publishMany(100);
        AssertSubscriber<Message<byte[]>> subscriber = consume(
                config("flagtally.redis-streams.fetch-max", "10", "flagtally.redis-streams.in-flight-max", "20"),
                "one");
        subscriber.request(100);
        await().atMost(PATIENCE).until(() -> subscriber.getItems().size() >= 20);

        assertTrue(pending() <= 30, "in flight " + pending());

        await().atMost(PATIENCE).until(() -> {
            List.copyOf(subscriber.getItems()).forEach(RedisStreamsTest::ack);
            return subscriber.getItems().size() == 100;
        });
    }

    @Test
    void claim_deadConsumer_isTakenOverAsRedelivered() {
        publishMany(10);
        // It reads and is never heard of again.
        Response unused = run(Command.XGROUP, "CREATE", STREAM, GROUP, "0");
        Response read = run(Command.XREADGROUP, "GROUP", GROUP, "dead", "COUNT", "10", "STREAMS", STREAM, ">");
        assertEquals(10, read.get(STREAM).size());

        List<Message<byte[]>> claimed = next(consume(config(), "alive"), 10);

        assertTrue(claimed.stream()
                .allMatch(message ->
                        message.getMetadata(StreamEntry.class).orElseThrow().redelivered()));
        claimed.forEach(RedisStreamsTest::ack);
        await().atMost(PATIENCE)
                .until(() -> run(Command.XINFO, "CONSUMERS", STREAM, GROUP).size() == 1);
    }

    @Test
    void claim_livingConsumerThatIsSlow_isLeftItsMessages() throws InterruptedException {
        publishMany(10);
        AssertSubscriber<Message<byte[]>> slow = consume(config(), "slow");
        List<Message<byte[]>> held = next(slow, 10);
        AssertSubscriber<Message<byte[]>> other = consume(config(), "other");
        other.request(10);

        Thread.sleep(3 * config().claimIdle().toMillis());

        assertEquals(List.of(), other.getItems());
        held.forEach(RedisStreamsTest::ack);
        await().atMost(PATIENCE).until(() -> pending() == 0);
    }

    @Test
    void refuse_message_isDeliveredAgain() {
        publishMany(1);
        AssertSubscriber<Message<byte[]>> subscriber = consume(config(), "one");
        next(subscriber, 1)
                .get(0)
                .nack(new IllegalStateException("not now"))
                .toCompletableFuture()
                .join();

        Message<byte[]> again = next(subscriber, 2).get(1);

        assertTrue(again.getMetadata(StreamEntry.class).orElseThrow().redelivered());
        ack(again);
        await().atMost(PATIENCE).until(() -> pending() == 0);
    }

    @Test
    void consume_redisKilledAndRestarted_goesOn() {
        StreamPublisher publisher = publisher(1_000);
        publishAll(publisher, 10);
        AssertSubscriber<Message<byte[]>> subscriber = consume(config(), "one");
        next(subscriber, 10);

        redis.kill();
        redis.restart();

        // What was not acknowledged comes again from a server that was started again.
        List<Message<byte[]>> again = next(subscriber, 20);
        again.forEach(RedisStreamsTest::ack);
        await().atMost(PATIENCE).until(() -> {
            List.copyOf(subscriber.getItems()).forEach(RedisStreamsTest::ack);
            return pending() == 0;
        });
        // The first one after the end of its connection may be refused, and is sent again.
        await().atMost(PATIENCE)
                .until(() -> publish(publisher, text(10))
                        .handle((done, failure) -> failure == null)
                        .join());
        next(subscriber, subscriber.getItems().size() + 1);
    }

    @Test
    void consume_redisEmptied_makesTheGroupAgain() {
        publishMany(3);
        AssertSubscriber<Message<byte[]>> subscriber = consume(config(), "one");
        next(subscriber, 3).forEach(RedisStreamsTest::ack);

        Response unused = run(Command.FLUSHALL);
        publishMany(4);

        next(subscriber, 7).forEach(RedisStreamsTest::ack);
        await().atMost(PATIENCE).until(() -> pending() == 0);
    }

    @Test
    void close_undoneMessages_mayBeClaimedAtOnce() throws Exception {
        publishMany(5);
        StreamConsumer leaving = consumer(config("flagtally.redis-streams.claim-idle", "1H"), "leaving");
        AssertSubscriber<Message<byte[]>> first =
                leaving.messages().subscribe().withSubscriber(AssertSubscriber.create(0));
        List<Message<byte[]>> held = next(first, 5);
        ack(held.get(0));

        leaving.close();

        assertEquals(
                4,
                next(consume(config("flagtally.redis-streams.claim-idle", "1H"), "next"), 4)
                        .size());
    }

    @Test
    void close_redisAway_leavesAllStreamsAtOnce() throws Exception {
        StreamConsumer leaving = consumer(config("flagtally.redis-streams.partitions", "16"), "leaving");
        Object unused = leaving.messages().subscribe().withSubscriber(AssertSubscriber.create(1));
        await().atMost(PATIENCE).until(() -> leaving.lag().isPresent());
        redis.pause();

        CompletableFuture<Void> closed = CompletableFuture.runAsync(leaving::close);
        try {
            closed.get(TIMEOUT.multipliedBy(8).toSeconds(), TimeUnit.SECONDS);
        } finally {
            redis.resume();
        }
    }

    @Test
    void keys_ofAKey_areStableAndOthersTakeTurns() {
        StreamKeys keys = new StreamKeys("p", 3);

        assertEquals(keys.of("anna"), keys.of("anna"));
        assertEquals(List.of("p:{0}", "p:{1}", "p:{2}"), List.of(keys.of(null), keys.of(null), keys.of(null)));
    }

    private static final class NoDemand implements Subscription {
        @Override
        public void request(long n) {}

        @Override
        public void cancel() {}
    }

    private void publishMany(int messages) {
        publishAll(publisher(1_000), messages);
    }

    private static void publishAll(StreamPublisher publisher, int messages) {
        List<CompletableFuture<Void>> outcomes = new ArrayList<>();
        for (int i = 0; i < messages; i++) {
            outcomes.add(publish(publisher, text(i)));
        }
        outcomes.forEach(CompletableFuture::join);
    }

    private StreamPublisher publisher(int lengthMax) {
        StreamPublisher publisher = opened(new StreamPublisher(
                link(),
                new StreamKeys(PLACE, 1),
                new StreamPublisher.Bound(lengthMax, false),
                RedisDurability.LOCAL,
                8));
        publisher.onSubscribe(new NoDemand());
        return publisher;
    }

    private static CompletableFuture<Void> publish(StreamPublisher publisher, byte[] payload) {
        CompletableFuture<Void> outcome = new CompletableFuture<>();
        publisher.onNext(Message.of(
                payload,
                Metadata.of(new StreamAddress(Map.of("content-type", "text/ä"), null)),
                () -> {
                    outcome.complete(null);
                    return CompletableFuture.completedFuture(null);
                },
                failure -> {
                    outcome.completeExceptionally(failure);
                    return CompletableFuture.completedFuture(null);
                }));
        return outcome;
    }

    private AssertSubscriber<Message<byte[]>> consume(RedisStreamsConfig config, String name) {
        return opened(consumer(config, name)).messages().subscribe().withSubscriber(AssertSubscriber.create(0));
    }

    private StreamConsumer consumer(RedisStreamsConfig config, String name) {
        return new StreamConsumer(vertx, place, TIMEOUT, PLACE, GROUP, name, config);
    }

    /** Waits until so many messages have come in all, and gives them. */
    private static List<Message<byte[]>> next(AssertSubscriber<Message<byte[]>> subscriber, int inAll) {
        subscriber.request(inAll - subscriber.getItems().size());
        await().atMost(PATIENCE).until(() -> subscriber.getItems().size() >= inAll);
        return List.copyOf(subscriber.getItems());
    }

    private static void ack(Message<byte[]> message) {
        var unused = message.ack();
    }

    private static RedisStreamsConfig config(String... more) {
        Map<String, String> keys = new HashMap<>(Map.of(
                "flagtally.redis-streams.partitions", "1",
                "flagtally.redis-streams.claim-idle", "1S",
                "flagtally.redis-streams.consumer-forget", "2S"));
        for (int i = 0; i < more.length; i += 2) {
            keys.put(more[i], more[i + 1]);
        }
        return TestConfigs.of(RedisStreamsConfig.class, keys);
    }

    private long pending() {
        return run(Command.XPENDING, STREAM, GROUP).get(0).toLong();
    }

    private StreamLink link() {
        return new StreamLink(vertx, place, "test", TIMEOUT);
    }

    private Response run(Command command, String... arguments) {
        Request request = Request.cmd(command);
        for (String argument : arguments) {
            request.arg(argument);
        }
        try {
            return client().send(request).await().atMost(PATIENCE);
        } catch (RuntimeException e) {
            client = null;
            throw e;
        }
    }

    private Redis client() {
        if (client == null) {
            client = Redis.createClient(vertx, redis.url());
        }
        return client;
    }

    private <T extends AutoCloseable> T opened(T some) {
        open.add(some);
        return some;
    }

    private static byte[] text(int number) {
        return ("message " + number).getBytes(StandardCharsets.UTF_8);
    }
}
