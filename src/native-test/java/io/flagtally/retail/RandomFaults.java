package io.flagtally.retail;

import io.flagtally.proof.FaultProxy;
import java.util.Random;

/** Disturbs the connections through a proxy at random, from a seed, until closed; then everything passes. */
final class RandomFaults implements AutoCloseable {

    private static final int PAUSE_MILLIS = 900;
    private static final int FAULT_MILLIS = 700;

    private final FaultProxy proxy;
    private final Random random;
    private final String lastHeard;
    private final Thread thread = new Thread(this::run, "random-faults");
    private volatile boolean closed;

    private RandomFaults(FaultProxy proxy, long seed, String lastHeard) {
        this.proxy = proxy;
        this.random = new Random(seed);
        this.lastHeard = lastHeard;
        thread.setDaemon(true);
    }

    static RandomFaults on(FaultProxy proxy, long seed) {
        return on(proxy, seed, "");
    }

    /** @param lastHeard every other fault loses replies from the moment in which a client sends this text; empty: none */
    static RandomFaults on(FaultProxy proxy, long seed, String lastHeard) {
        RandomFaults faults = new RandomFaults(proxy, seed, lastHeard);
        faults.thread.start();
        return faults;
    }

    @Override
    public void close() throws InterruptedException {
        closed = true;
        thread.join();
    }

    private void run() {
        try {
            while (!closed) {
                Thread.sleep(random.nextInt(PAUSE_MILLIS));
                disturb(random.nextInt(4), !lastHeard.isEmpty() && random.nextBoolean());
                Thread.sleep(random.nextInt(FAULT_MILLIS));
                proxy.pass();
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void disturb(int kind, boolean atText) {
        if (atText) {
            proxy.loseRepliesFrom(lastHeard);
            return;
        }
        switch (kind) {
            case 0 -> proxy.cut();
            case 1 -> proxy.refuse();
            case 2 -> proxy.fallSilent();
            default -> proxy.loseReplies();
        }
    }
}
