package io.flagtally.simulation;

import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;

import io.flagtally.codec.BucketeerCodec;
import io.flagtally.pipeline.PipelineConfig;
import io.flagtally.simulation.Simulation.Protections;
import io.flagtally.testing.TestConfigs;
import java.util.Map;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/**
 * Thousands of histories. {@code -Dflagtally.simulation.seeds=1000000} runs more of them, and
 * {@code -Dflagtally.simulation.seed=42} one of them again, with its history.
 */
class SimulationTest {

    private static final long SEEDS = Long.getLong("flagtally.simulation.seeds", 4_000);
    private static final PipelineConfig CONFIG = TestConfigs.of(
            PipelineConfig.class,
            Map.of("flagtally.pipeline.batch.size-max", "20", "flagtally.pipeline.batch.linger", "20ms"));

    @BeforeAll
    static void quiet() {
        java.util.logging.Logger.getLogger("io.flagtally.pipeline").setLevel(java.util.logging.Level.SEVERE);
    }

    @Test
    void anySeed_countsEachEventOnce() {
        Long one = Long.getLong("flagtally.simulation.seed");
        if (one != null) {
            check(one);
            return;
        }
        for (long seed = 0; seed < SEEDS; seed++) {
            check(seed);
        }
    }

    @Test
    void anySeed_deduplicationOff_doublesInMost() {
        int doubled = 0;
        for (long seed = 0; seed < 200; seed++) {
            doubled += wrong(seed, new Protections(false, true, true, true));
        }
        assertTrue(doubled > 100, "without deduplication only " + doubled + " of 200 seeds went wrong");
    }

    @Test
    void anySeed_usersRememberedInDoubt_losesSome() {
        int lost = 0;
        for (long seed = 0; seed < 400; seed++) {
            lost += wrong(seed, new Protections(true, false, true, true));
        }
        assertTrue(lost > 0, "no seed needs the users to be forgotten");
    }

    @Test
    void anySeed_lossNotTold_isFound() {
        int untold = 0;
        for (long seed = 0; seed < 400; seed++) {
            untold += wrong(seed, new Protections(true, true, false, true));
        }
        assertTrue(untold > 8, "only " + untold + " of 400 seeds lose something");
    }

    @Test
    void anySeed_windowNotWatched_doublesSome() {
        int doubled = 0;
        for (long seed = 0; seed < 200; seed++) {
            doubled += wrong(seed, new Protections(true, true, true, false));
        }
        assertTrue(doubled > 20, "only " + doubled + " of 200 seeds need the window to be watched");
    }

    private static int wrong(long seed, Protections protections) {
        return new Simulation(seed, protections, new BucketeerCodec(), CONFIG)
                        .run()
                        .isEmpty()
                ? 0
                : 1;
    }

    private static void check(long seed) {
        Simulation simulation = new Simulation(seed, Protections.ALL, new BucketeerCodec(), CONFIG);
        String wrong = simulation.run();
        if (!wrong.isEmpty()) {
            fail("seed " + seed + ": " + wrong + "\n" + simulation.history()
                    + "\nrun it again with -Dflagtally.simulation.seed=" + seed);
        }
    }
}
