package io.flagtally.testing;

import io.quarkus.redis.datasource.RedisDataSource;
import java.time.Instant;
import java.util.List;
import java.util.Locale;

/** Writes counters into Redis as they are documented, past the code that counts. The default environment. */
public final class PlantedCounts {

    private final RedisDataSource redis;

    public PlantedCounts(RedisDataSource redis) {
        this.redis = redis;
    }

    /** Plants the day counters of a variation, and what the catalog says of them. */
    public void day(String flag, String variation, Instant day, long events, List<String> users) {
        counters("ec", "uc", flag, variation, day, events, users);
        seen(flag, variation, day, day.plusSeconds(1));
    }

    /** Plants the hour counters of a variation, and what the catalog says of them. */
    public void hour(String flag, String variation, Instant day, Instant hour, long events, List<String> users) {
        counters("ech", "uch", flag, variation, hour, events, users);
        seen(flag, variation, day, hour.plusSeconds(1));
    }

    private void seen(String flag, String variation, Instant day, Instant last) {
        redis.execute("ZADD", "catalog:variations:" + flag, "GT", seconds(day), variation);
        redis.execute("ZADD", "catalog:flags", "GT", seconds(last), flag);
        redis.execute("ZADD", "flagtally:environments", "GT", seconds(last), "default");
    }

    private void counters(
            String eventPrefix,
            String userPrefix,
            String flag,
            String variation,
            Instant start,
            long events,
            List<String> users) {
        String tail = String.format(Locale.ROOT, ":%s:%s:%s", seconds(start), flag, variation);
        redis.execute("INCRBY", eventPrefix + tail, Long.toString(events));
        for (String user : users) {
            redis.execute("PFADD", userPrefix + tail, user);
        }
    }

    private static String seconds(Instant instant) {
        return Long.toString(instant.getEpochSecond());
    }
}
