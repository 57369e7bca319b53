package io.flagtally.brokers;

import io.flagtally.testing.RedisServerForTests;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.redis.client.Command;
import io.vertx.redis.client.Redis;
import io.vertx.redis.client.RedisOptions;
import io.vertx.redis.client.Request;
import io.vertx.redis.client.Response;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;

/** A Redis of its own for the streams, so that the one of the counts can be stopped. */
final class RedisStreamsForTests implements BrokerForTests {

    private static final int PARTITIONS = 4;
    private static final int PIPELINE_MAX = 500;

    private final RedisServerForTests server = RedisServerForTests.start();
    private final Vertx vertx = Vertx.vertx();
    private @Nullable Redis client;

    @Override
    public String name() {
        return "Redis 6.2.6 (embedded)";
    }

    @Override
    public String profile() {
        return "redis";
    }

    @Override
    public int port() {
        return server.port();
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
        server.stop();
    }

    @Override
    public void kill() {
        forget();
        server.kill();
    }

    @Override
    public void restart() {
        forget();
        server.restart();
    }

    @Override
    public Map<String, String> settings(int port) {
        return Map.of(
                "flagtally.redis-streams.url", "redis://127.0.0.1:" + port, "flagtally.redis-streams.claim-idle", "2S");
    }

    @Override
    public void publish(Raw message, int times) {
        List<String> streams = streams(EVENTS);
        List<Request> requests = new ArrayList<>();
        for (int i = 0; i < times; i++) {
            Request add = Request.cmd(Command.XADD)
                    .arg(streams.get(i % PARTITIONS))
                    .arg("*")
                    .arg("payload")
                    .arg(Buffer.buffer(message.payload()));
            message.headers().forEach((name, value) -> add.arg(name).arg(value));
            requests.add(add);
            if (requests.size() == PIPELINE_MAX || i == times - 1) {
                List<Response> unused = get(client().batch(requests));
                requests = new ArrayList<>();
            }
        }
    }

    @Override
    public long backlog() {
        long backlog = 0;
        for (String stream : streams(EVENTS)) {
            for (Response group : ask(Command.XINFO, "GROUPS", stream)) {
                if (group.get("name").toString().equals(GROUP)) {
                    String last = group.get("last-delivered-id").toString();
                    backlog += Long.parseLong(group.get("pending").toString());
                    backlog += ask(Command.XRANGE, stream, "(" + last, "+").size();
                }
            }
        }
        return backlog;
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
    public boolean keepsOrderOfAKey() {
        return true;
    }

    @Override
    public void close() {
        forget();
        server.close();
        boolean unused = vertx.close().isComplete();
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

    private static List<String> streams(String place) {
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
                    new RedisOptions().setConnectionString(server.url()).setMaxWaitingHandlers(PIPELINE_MAX * 2));
        }
        return client;
    }

    private synchronized void forget() {
        if (client != null) {
            client.close();
            client = null;
        }
    }

    private static <T> T get(io.vertx.core.Future<T> future) {
        try {
            return future.toCompletionStage().toCompletableFuture().get(60, TimeUnit.SECONDS);
        } catch (InterruptedException | ExecutionException | TimeoutException e) {
            throw new IllegalStateException(e);
        }
    }
}
