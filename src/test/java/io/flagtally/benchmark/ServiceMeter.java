package io.flagtally.benchmark;

import io.flagtally.packaged.ServiceProcess;
import java.time.Duration;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Reads what a running service and its stores have used so far. */
final class ServiceMeter {

    private static final Pattern REDIS_PORT = Pattern.compile("Redis at 127\\.0\\.0\\.1:(\\d+)");

    private final ServiceProcess service;

    ServiceMeter(ServiceProcess service) {
        this.service = service;
    }

    /** CPU seconds so far of the service's JVM, of Redis and of PostgreSQL. */
    Map<String, Double> cpuSeconds() {
        Map<String, Double> seconds = new TreeMap<>();
        ProcessHandle jvm = ProcessHandle.of(service.pid()).orElseThrow();
        seconds.put("service", seconds(jvm));
        service.servers().forEach(server -> {
            boolean redis = server.info().command().orElse("").contains("redis");
            seconds.merge(redis ? "redis" : "postgres", seconds(server), Double::sum);
        });
        return seconds;
    }

    String redisUrl() {
        Matcher matcher = REDIS_PORT.matcher(service.log());
        if (!matcher.find()) {
            throw new IllegalStateException("the service does not say where its Redis is");
        }
        return "redis://127.0.0.1:" + matcher.group(1);
    }

    private static double seconds(ProcessHandle process) {
        return process.info().totalCpuDuration().orElse(Duration.ZERO).toNanos() / 1e9;
    }
}
