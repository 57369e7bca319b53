package io.flagtally.proof;

import io.flagtally.platform.Command;
import java.time.InstantSource;

/**
 * {@code java -jar quarkus-run.jar prove}: exit code 0 if the proof held. {@code -Dflagtally.prove.requests=300} sends
 * fewer requests than usual, and {@code -Dflagtally.prove.seed=42} makes the same events and faults again.
 */
public final class ProveCommand implements Command {

    @Override
    public String name() {
        return "prove";
    }

    @Override
    public int run(InstantSource clock) {
        long seed = Long.getLong("flagtally.prove.seed", clock.millis());
        int requests = Integer.getInteger("flagtally.prove.requests", Proof.REQUESTS);
        try {
            return new Proof(System.out, clock, seed, requests).run() ? 0 : 1;
        } catch (RuntimeException e) {
            System.err.println("The proof could not be made: " + e.getMessage());
            return 1;
        }
    }
}
