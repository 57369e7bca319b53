package io.flagtally.simulation;

import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;

import io.flagtally.codec.BucketeerCodec;
import io.flagtally.pipeline.PipelineConfig;
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
            if (!new Simulation(seed, false, new BucketeerCodec(), CONFIG).run().isEmpty()) {
                doubled++;
            }
        }
        assertTrue(doubled > 100, "without deduplication only " + doubled + " of 200 seeds went wrong");
    }

    private static void check(long seed) {
        Simulation simulation = new Simulation(seed, true, new BucketeerCodec(), CONFIG);
        String wrong = simulation.run();
        if (!wrong.isEmpty()) {
            fail("seed " + seed + ": " + wrong + "\n" + simulation.history()
                    + "\nrun it again with -Dflagtally.simulation.seed=" + seed);
        }
    }
}
