package io.flagtally.proof;

import io.flagtally.platform.Command;
import java.time.InstantSource;

/** {@code java -jar quarkus-run.jar prove}: exit code 0 if the proof held. */
public final class ProveCommand implements Command {

    @Override
    public String name() {
        return "prove";
    }

    @Override
    public int run(InstantSource clock) {
        long seed = Long.getLong("flagtally.prove.seed", clock.millis());
        return new Proof(System.out, clock, seed).run() ? 0 : 1;
    }
}
