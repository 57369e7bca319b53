package io.flagtally.series.live;

import static io.flagtally.series.live.LiveFlags.flag;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import org.junit.jupiter.api.Test;

class LiveRatesTest {

    private static final long SECOND = Duration.ofSeconds(1).toNanos();

    private final LiveRates rates = new LiveRates();

    @Test
    void rate_withinTwoSeconds_isUnknown() {
        rates.saw(flag(0, 0), 0);
        rates.saw(flag(100, 1), SECOND);

        assertNull(rates.rate("checkout").eventsPerSecond());
    }

    @Test
    void rate_ofHalfAMinute_isThatOfTheLastTenSeconds() {
        for (int tick = 0; tick <= 80; tick++) {
            rates.saw(flag(tick * 10L, 1), tick * SECOND / 4);
        }
        for (int tick = 81; tick <= 120; tick++) {
            rates.saw(flag(800 + (tick - 80) * 5L, 1), tick * SECOND / 4);
        }

        LiveRates.RateResponse rate = rates.rate("checkout");

        assertEquals(20.0, rate.eventsPerSecond());
        assertEquals(20.0, rate.variations().get(0).eventsPerSecond());
        assertTrue(rates.size() <= 42, () -> rates.size() + " looks are kept");
    }

    @Test
    void rate_manyLooks_areBounded() {
        for (int tick = 0; tick <= 10_000; tick++) {
            rates.saw(flag(tick, 1), tick * SECOND / 50);
        }

        assertTrue(rates.size() <= 42, () -> rates.size() + " looks are kept");
        assertEquals(50.0, rates.rate("checkout").eventsPerSecond());
    }

    @Test
    void rate_standingStill_isZero() {
        rates.saw(flag(7, 1), 0);
        rates.saw(flag(7, 1), 20 * SECOND);

        assertEquals(0.0, rates.rate("checkout").eventsPerSecond());
    }
}
