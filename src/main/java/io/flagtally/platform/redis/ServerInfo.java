package io.flagtally.platform.redis;

import java.util.Map;
import java.util.stream.Collectors;

/**
 * What a server says of itself; empty texts and zeros where it does not say.
 *
 * @param identity changes when the server is started again or another one takes its place
 * @param cluster whether it is a node of a cluster
 * @param evictedKeys how many keys it dropped for want of memory since it was started
 * @param uptimeSeconds since it was started
 */
public record ServerInfo(
        String version,
        String identity,
        String evictionPolicy,
        boolean appendOnly,
        boolean cluster,
        long evictedKeys,
        long uptimeSeconds) {

    /** Takes the answer of INFO apart. */
    public static ServerInfo of(String info) {
        Map<String, String> fields = info.lines()
                .map(line -> line.split(":", 2))
                .filter(parts -> parts.length == 2)
                .collect(Collectors.toMap(parts -> parts[0], parts -> parts[1].trim(), (first, second) -> first));
        String run = fields.getOrDefault("run_id", "");
        String replication = fields.getOrDefault("master_replid", "");
        return new ServerInfo(
                fields.getOrDefault("redis_version", ""),
                run.isEmpty() && replication.isEmpty() ? "" : run + "/" + replication,
                fields.getOrDefault("maxmemory_policy", ""),
                !fields.getOrDefault("aof_enabled", "1").equals("0"),
                fields.getOrDefault("cluster_enabled", "0").equals("1"),
                number(fields.getOrDefault("evicted_keys", "0")),
                number(fields.getOrDefault("uptime_in_seconds", "0")));
    }

    /** Whether its version is {@code major.minor} or later; one that does not say passes. */
    public boolean isAtLeast(int major, int minor) {
        String[] parts = version.split("\\.", -1);
        if (parts.length < 2) {
            return true;
        }
        long itsMajor = number(parts[0]);
        return itsMajor > major || (itsMajor == major && number(parts[1]) >= minor);
    }

    private static long number(String text) {
        return text.matches("[0-9]{1,18}") ? Long.parseLong(text) : 0;
    }
}
