package io.flagtally.store.redis;

import io.flagtally.platform.Availability;
import io.flagtally.platform.redis.RedisDurability;
import io.flagtally.platform.redis.RedisPlace;
import io.flagtally.rollup.BucketCalendar;
import io.flagtally.testing.RedisServerForTests;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.vertx.mutiny.core.Vertx;
import io.vertx.mutiny.redis.client.Command;
import io.vertx.mutiny.redis.client.Redis;
import io.vertx.mutiny.redis.client.Request;
import io.vertx.mutiny.redis.client.Response;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** A real Redis, sinks on it, and a connection of one's own to look into it. */
final class RedisSinkFixture implements AutoCloseable {

    final RedisServerForTests server = RedisServerForTests.start();
    final Vertx vertx = Vertx.vertx();
    final SimpleMeterRegistry meters = new SimpleMeterRegistry();
    final InstantSource clock = InstantSource.system();
    private final List<RedisLink> links = new ArrayList<>();
    private @Nullable Redis client;

    RedisLink link(int port, BucketCalendar calendar, Duration timeout, Availability availability) {
        return link(port, calendar, timeout, RedisDurability.LOCAL, availability);
    }

    RedisLink link(
            int port,
            BucketCalendar calendar,
            Duration timeout,
            RedisDurability durability,
            Availability availability) {
        RedisLink link = new RedisLink(
                vertx,
                RedisPlace.standalone("redis://127.0.0.1:" + port),
                timeout,
                calendar.zone(),
                durability,
                clock,
                meters,
                availability);
        links.add(link);
        return link;
    }

    RedisCountSink sink(int port, BucketCalendar calendar, CountRules rules, Instant now, Duration timeout) {
        return new RedisCountSink(
                link(port, calendar, timeout, new Availability()),
                new RedisKeys(false),
                calendar,
                rules,
                InstantSource.fixed(now),
                new SimpleMeterRegistry());
    }

    /** Runs one command; its words are separated by arguments, not by spaces. */
    @Nullable
    Response run(String command, Object... arguments) {
        Request request = Request.cmd(Command.create(command));
        for (Object argument : arguments) {
            request.arg(String.valueOf(argument));
        }
        return client().sendAndAwait(request);
    }

    long number(String command, Object... arguments) {
        Response reply = run(command, arguments);
        return reply == null ? 0 : reply.toLong();
    }

    String text(String command, Object... arguments) {
        return String.valueOf(run(command, arguments));
    }

    /** Returns when {@code key} expires. Redis 6.2 tells only the time that is left, so it is asked in one step. */
    Instant expiry(String key) {
        String script = "local t = redis.call('TIME') "
                + "return math.floor(t[1] + (t[2] / 1000 + redis.call('PTTL', KEYS[1])) / 1000 + 0.5)";
        return Instant.ofEpochSecond(number("EVAL", script, 1, key));
    }

    List<String> keys(String pattern) {
        List<String> keys = new ArrayList<>();
        Response reply = run("KEYS", pattern);
        if (reply != null) {
            reply.forEach(key -> keys.add(key.toString()));
        }
        return keys;
    }

    List<String> list(String key) {
        List<String> items = new ArrayList<>();
        Response reply = run("LRANGE", key, 0, -1);
        if (reply != null) {
            reply.forEach(item -> items.add(item.toString()));
        }
        return items;
    }

    long usedMemory() {
        return text("INFO", "memory")
                .lines()
                .filter(line -> line.startsWith("used_memory:"))
                .mapToLong(line ->
                        Long.parseLong(line.substring("used_memory:".length()).trim()))
                .sum();
    }

    /** The sum of the integers at the keys of {@code pattern}, without those that hold something else. */
    long sum(String pattern) {
        return keys(pattern).stream()
                .filter(key -> text("TYPE", key).equals("string"))
                .mapToLong(key -> number("GET", key))
                .sum();
    }

    /** Closes the links and empties the store. */
    void clear() {
        links.forEach(RedisLink::close);
        links.clear();
        run("FLUSHALL");
    }

    /** Forgets the own connection, as needed after the server was stopped. */
    void reconnect() {
        if (client != null) {
            client.close();
            client = null;
        }
    }

    @Override
    public void close() {
        links.forEach(RedisLink::close);
        reconnect();
        vertx.closeAndAwait();
        server.close();
    }

    private Redis client() {
        if (client == null) {
            client = Redis.createClient(vertx, server.url());
        }
        return client;
    }
}
