package io.flagtally.series;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;

class EstimateTest {

    @Test
    void of_usersCounted_hasTwoDigitsOfErrorRoundedUp() {
        assertEquals(0, Estimate.of(0).standardError());
        assertEquals(0.09, Estimate.of(11).standardError());
        assertEquals(0.82, Estimate.of(100).standardError());
        assertEquals(330, Estimate.of(40_000).standardError());
        assertEquals(8_200_000, Estimate.of(1_000_000_000).standardError());
    }
}
