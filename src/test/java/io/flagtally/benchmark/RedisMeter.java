package io.flagtally.benchmark;

import io.vertx.mutiny.redis.client.Command;
import io.vertx.mutiny.redis.client.Redis;
import io.vertx.mutiny.redis.client.Request;
import java.time.Duration;

/** Reads what a Redis has used so far. */
final class RedisMeter {

    private static final Duration PATIENCE = Duration.ofSeconds(30);

    private final Redis redis;

    RedisMeter(Redis redis) {
        this.redis = redis;
    }

    /** CPU time of the server's main thread and helpers so far, in seconds. */
    double cpuSeconds() {
        return number("cpu", "used_cpu_sys") + number("cpu", "used_cpu_user");
    }

    double memoryBytes() {
        return number("memory", "used_memory");
    }

    /** Changes a setting of the server. */
    void set(String setting, Object value) {
        send(Request.cmd(Command.CONFIG).arg("SET").arg(setting).arg(value.toString()));
    }

    void flushAll() {
        send(Request.cmd(Command.FLUSHALL));
    }

    private double number(String section, String field) {
        return send(Request.cmd(Command.INFO).arg(section))
                .lines()
                .filter(line -> line.startsWith(field + ":"))
                .mapToDouble(line -> Double.parseDouble(line.substring(field.length() + 1)))
                .findFirst()
                .orElseThrow();
    }

    private String send(Request request) {
        return redis.send(request).await().atMost(PATIENCE).toString();
    }
}
