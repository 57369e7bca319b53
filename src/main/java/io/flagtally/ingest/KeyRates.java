package io.flagtally.ingest;

import io.flagtally.platform.error.ErrorCode;
import io.flagtally.platform.error.RefusedException;
import jakarta.inject.Inject;
import jakarta.inject.Singleton;
import java.time.InstantSource;
import java.util.Map;
import java.util.OptionalLong;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Bounds the events a second of each API key in this process, by a bucket of tokens that holds one second's worth. A
 * request is let in while a token is left and pays for all its events, so that no request is too large ever to pass.
 * Safe for use by several threads.
 */
@Singleton
class KeyRates {

    private final OptionalLong eventsPerSecond;
    private final InstantSource clock;
    private final Map<String, Tokens> byKey = new ConcurrentHashMap<>();

    @Inject
    KeyRates(IngestConfig config, InstantSource clock) {
        this(config.rate().eventsPerSecond(), clock);
    }

    KeyRates(OptionalLong eventsPerSecond, InstantSource clock) {
        this.eventsPerSecond = eventsPerSecond;
        this.clock = clock;
    }

    /**
     * Takes {@code events} for the key of that name.
     *
     * @throws RefusedException if the key is over its rate
     */
    void take(String keyName, int events) {
        if (eventsPerSecond.isEmpty()) {
            return;
        }
        long rate = eventsPerSecond.getAsLong();
        boolean taken = byKey.computeIfAbsent(keyName, name -> new Tokens(rate, clock.millis()))
                .take(events, rate, clock.millis());
        if (!taken) {
            throw new RefusedException(
                    ErrorCode.RESOURCE_EXHAUSTED,
                    "gateway: the APIKey is over its rate of " + rate + " events a second; try again later");
        }
    }

    private static final class Tokens {
        private double left;
        private long filledAtMillis;

        Tokens(double left, long nowMillis) {
            this.left = left;
            this.filledAtMillis = nowMillis;
        }

        synchronized boolean take(int events, long rate, long nowMillis) {
            long elapsed = Math.max(0, nowMillis - filledAtMillis);
            left = Math.min(rate, left + elapsed * (rate / 1000.0));
            filledAtMillis = nowMillis;
            if (left <= 0) {
                return false;
            }
            left -= events;
            return true;
        }
    }
}
