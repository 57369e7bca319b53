package io.flagtally.simulation;

import java.time.Duration;
import java.util.Random;

/** What goes wrong, decided by the seed: each seed draws its own mix of probabilities, some of them zero. */
final class Faults {

    private final Random random;
    final double writeFails;
    final double replyLost;
    final double writeStalls;
    final double ackLost;
    final double deliveredTwice;
    final double publishReplyLost;
    final double redeliveredAfterWindow;
    final double processDies;
    final double storeOutage;
    final double storeForgets;
    final int processes;

    /** Whether the store goes away for about as long as repeats are recognised, or longer. */
    final boolean outageOfTheWindow;

    Faults(Random random) {
        this.random = random;
        writeFails = draw(0.2);
        replyLost = draw(0.2);
        writeStalls = draw(0.1);
        ackLost = draw(0.2);
        deliveredTwice = draw(0.2);
        publishReplyLost = draw(0.2);
        redeliveredAfterWindow = draw(0.1);
        processDies = draw(0.5);
        storeOutage = draw(0.3);
        storeForgets = draw(0.4);
        processes = 1 + random.nextInt(3);
        outageOfTheWindow = random.nextInt(8) == 0;
    }

    private double draw(double max) {
        return random.nextBoolean() ? random.nextDouble() * max : 0;
    }

    boolean happens(double probability) {
        return random.nextDouble() < probability;
    }

    int below(int bound) {
        return random.nextInt(bound);
    }

    /** A duration from zero to {@code millisMax}. */
    Duration within(int millisMax) {
        return Duration.ofMillis(random.nextInt(millisMax + 1));
    }
}
