package io.flagtally.brokers;

import io.flagtally.retail.InstalledCluster;
import io.flagtally.testing.RedisServerForTests;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.redis.client.Command;
import io.vertx.redis.client.Redis;
import io.vertx.redis.client.RedisClientType;
import io.vertx.redis.client.RedisOptions;
import io.vertx.redis.client.Request;
import io.vertx.redis.client.Response;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.ToLongBiFunction;
import org.jspecify.annotations.Nullable;

/** A Redis of its own for the streams, so that the one of the counts can be stopped; or a cluster that holds both. */
final class RedisStreamsForTests implements BrokerForTests {

    private static final int PARTITIONS = 4;
    private static final int PIPELINE_MAX = 500;

    /** As the service has them by default. */
    private static final int IN_FLIGHT_MAX = 1_000;

    private static final int FETCH_MAX = 32;

    private final Servers servers;
    private final Vertx vertx = Vertx.vertx();
    private final AtomicInteger turn = new AtomicInteger();
    private @Nullable Redis client;

    /** The servers that hold the streams. */
    private interface Servers extends AutoCloseable {

        String name();

        int port();

        RedisOptions client();

        Map<String, String> settings(int port);

        void stop();

        void kill();

        void restart();

        @Override
        void close();
    }

    RedisStreamsForTests() {
        this(new OneServer(RedisServerForTests.start()));
    }

    private RedisStreamsForTests(Servers servers) {
        this.servers = servers;
    }

    /** In a cluster, which it closes; connections go to its masters, past any proxy. */
    static RedisStreamsForTests on(InstalledCluster cluster) {
        return new RedisStreamsForTests(new ThreeMasters(cluster));
    }

    @Override
    public String name() {
        return servers.name();
    }

    @Override
    public String profile() {
        return "redis";
    }

    @Override
    public int port() {
        return servers.port();
    }

    @Override
    public void start(int reachedAt) {
        for (String stream : streams(EVENTS)) {
            Response unused = ask(Command.XGROUP, "CREATE", stream, SECOND_GROUP, "0", "MKSTREAM");
        }
    }

    @Override
    public void stop() {
        forget();
        servers.stop();
    }

    @Override
    public void kill() {
        forget();
        servers.kill();
    }

    @Override
    public void restart() {
        forget();
        servers.restart();
    }

    @Override
    public Map<String, String> settings(int port) {
        Map<String, String> settings = new HashMap<>(servers.settings(port));
        settings.put("flagtally.redis-streams.claim-idle", "2S");
        return settings;
    }

    @Override
    public void publish(Raw message, int times) {
        List<String> streams = streams(EVENTS);
        List<Future<Response>> added = new ArrayList<>();
        for (int i = 0; i < times; i++) {
            Request add = Request.cmd(Command.XADD)
                    .arg(streams.get(turn.getAndIncrement() % PARTITIONS))
                    .arg("*")
                    .arg("payload")
                    .arg(Buffer.buffer(message.payload()));
            message.headers().forEach((name, value) -> add.arg(name).arg(value));
            added.add(client().send(add));
            if (added.size() == PIPELINE_MAX || i == times - 1) {
                var unused = get(Future.all(added));
                added = new ArrayList<>();
            }
        }
    }

    @Override
    public long backlog() {
        return sumOverStreams((stream, group) -> {
            String last = group.get("last-delivered-id").toString();
            return pending(group) + ask(Command.XRANGE, stream, "(" + last, "+").size();
        });
    }

    @Override
    public long held(BrokeredService service) {
        return sumOverStreams((stream, group) -> pending(group));
    }

    /** Exceeded by a fetch of each stream, as its documentation says. */
    @Override
    public int heldMax(int inPipeline) {
        return IN_FLIGHT_MAX + PARTITIONS * FETCH_MAX;
    }

    @Override
    public List<Raw> read(String place, String group) {
        List<Raw> read = new ArrayList<>();
        for (String stream : place.equals(EVENTS) ? streams(place) : List.of(place + ":{0}")) {
            if (!place.equals(EVENTS) && ask(Command.EXISTS, stream).toString().equals("0")) {
                continue;
            }
            if (!place.equals(EVENTS) && ask(Command.XINFO, "GROUPS", stream).size() == 0) {
                Response unused = ask(Command.XGROUP, "CREATE", stream, group, "0");
            }
            Response entries = next(stream, group);
            while (entries != null) {
                for (Response entry : entries) {
                    read.add(raw(entry.get(1)));
                    Response unused =
                            ask(Command.XACK, stream, group, entry.get(0).toString());
                }
                entries = next(stream, group);
            }
        }
        return read;
    }

    @Override
    public boolean tellsRedelivery() {
        return true;
    }

    @Override
    public void close() {
        forget();
        servers.close();
        boolean unused = vertx.close().isComplete();
    }

    private long sumOverStreams(ToLongBiFunction<String, Response> value) {
        long sum = 0;
        for (String stream : streams(EVENTS)) {
            for (Response group : ask(Command.XINFO, "GROUPS", stream)) {
                if (group.get("name").toString().equals(GROUP)) {
                    sum += value.applyAsLong(stream, group);
                }
            }
        }
        return sum;
    }

    private static long pending(Response group) {
        return Long.parseLong(group.get("pending").toString());
    }

    private @Nullable Response next(String stream, String group) {
        Response reply = ask(Command.XREADGROUP, "GROUP", group, "tests", "COUNT", "200", "STREAMS", stream, ">");
        return reply == null ? null : reply.get(stream);
    }

    private static Raw raw(Response fields) {
        byte[] payload = {};
        Map<String, String> headers = new HashMap<>();
        for (int i = 0; i < fields.size(); i += 2) {
            String name = fields.get(i).toString();
            if (name.equals("payload")) {
                payload = fields.get(i + 1).toBytes();
            } else {
                headers.put(name, fields.get(i + 1).toString(StandardCharsets.UTF_8));
            }
        }
        return new Raw(payload, headers);
    }

    /** The streams of a place, as the service names them. */
    static List<String> streams(String place) {
        List<String> streams = new ArrayList<>();
        for (int i = 0; i < PARTITIONS; i++) {
            streams.add(place + ":{" + i + "}");
        }
        return streams;
    }

    private Response ask(Command command, String... arguments) {
        Request request = Request.cmd(command);
        for (String argument : arguments) {
            request.arg(argument);
        }
        return get(client().send(request));
    }

    private synchronized Redis client() {
        if (client == null) {
            client = Redis.createClient(
                    vertx,
                    servers.client().setMaxPoolWaiting(PIPELINE_MAX * 2).setMaxWaitingHandlers(PIPELINE_MAX * 2));
        }
        return client;
    }

    private synchronized void forget() {
        if (client != null) {
            client.close();
            client = null;
        }
    }

    private static <T> T get(Future<T> future) {
        try {
            return future.toCompletionStage().toCompletableFuture().get(60, TimeUnit.SECONDS);
        } catch (InterruptedException | ExecutionException | TimeoutException e) {
            throw new IllegalStateException(e);
        }
    }

    private record OneServer(RedisServerForTests server) implements Servers {
        @Override
        public String name() {
            return "Redis 6.2 (embedded)";
        }

        @Override
        public int port() {
            return server.port();
        }

        @Override
        public RedisOptions client() {
            return new RedisOptions().setConnectionString(server.url());
        }

        @Override
        public Map<String, String> settings(int port) {
            return Map.of("flagtally.redis-streams.url", "redis://127.0.0.1:" + port);
        }

        @Override
        public void stop() {
            server.stop();
        }

        @Override
        public void kill() {
            server.kill();
        }

        @Override
        public void restart() {
            server.restart();
        }

        @Override
        public void close() {
            server.close();
        }
    }

    private record ThreeMasters(InstalledCluster cluster) implements Servers {
        @Override
        public String name() {
            return "Redis Cluster of three masters of the machine's package";
        }

        @Override
        public int port() {
            return URI.create(cluster.urls().split(",", -1)[0]).getPort();
        }

        @Override
        public RedisOptions client() {
            RedisOptions options = new RedisOptions().setType(RedisClientType.CLUSTER);
            for (String url : cluster.urls().split(",", -1)) {
                options.addConnectionString(url);
            }
            return options;
        }

        @Override
        public Map<String, String> settings(int port) {
            return Map.of("flagtally.redis.topology", "cluster", "flagtally.redis.url", cluster.urls());
        }

        @Override
        public void stop() {
            cluster.kill();
        }

        @Override
        public void kill() {
            cluster.kill();
        }

        @Override
        public void restart() {
            cluster.restart();
        }

        @Override
        public void close() {
            cluster.close();
        }
    }
}
