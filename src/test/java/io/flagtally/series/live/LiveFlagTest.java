package io.flagtally.series.live;

import static io.flagtally.series.live.LiveFlags.DAY;
import static io.flagtally.series.live.LiveFlags.FLAG;
import static io.flagtally.series.live.LiveFlags.flag;
import static io.flagtally.series.live.LiveFlags.variation;
import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;

class LiveFlagTest {

    @Test
    void noLowerThan_higherRead_isTheRead() {
        assertEquals(flag(9, 5), flag(9, 5).noLowerThan(flag(8, 5)));
    }

    @Test
    void noLowerThan_aStoreThatForgot_keepsTheHigherOfEach() {
        LiveFlag before = flag(FLAG, DAY.plusSeconds(60), variation("blue", 9, 5), variation("red", 4, 4));
        LiveFlag read = flag(FLAG, DAY.plusSeconds(30), variation("blue", 7, 6));

        LiveFlag shown = read.noLowerThan(before);

        assertEquals(flag(FLAG, DAY.plusSeconds(60), variation("blue", 9, 6), variation("red", 4, 4)), shown);
        assertEquals(13, shown.events());
    }

    @Test
    void noLowerThan_nothingRead_keepsAll() {
        LiveFlag before = flag(9, 5);

        assertEquals(before, flag(FLAG, DAY).noLowerThan(before));
    }
}
