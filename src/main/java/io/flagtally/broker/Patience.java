package io.flagtally.broker;

import java.time.Duration;

/** Time that several looks at a broker share. */
public final class Patience {

    /** Of a {@link BrokerCheck}. */
    private static final Duration OF_A_CHECK = Duration.ofSeconds(10);

    private final long end = System.nanoTime() + OF_A_CHECK.toNanos();

    private Patience() {}

    /** What {@link BrokerCheck#check} may take, from now. */
    public static Patience ofACheck() {
        return new Patience();
    }

    /** What is left; more than nothing. */
    public Duration left() {
        return Duration.ofNanos(Math.max(1, end - System.nanoTime()));
    }
}
