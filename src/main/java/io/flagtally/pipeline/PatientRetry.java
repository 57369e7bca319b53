package io.flagtally.pipeline;

import io.smallrye.mutiny.Uni;
import io.smallrye.mutiny.subscription.UniEmitter;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.DoubleSupplier;
import java.util.function.Supplier;
import org.jboss.logging.Logger;

/**
 * Repeats a write while its store is away, without end and in constant memory. The distance doubles from
 * {@code delayMin} to {@code delayMax}, each time shortened at random by up to half, so that several processes do not
 * come back at once.
 */
public final class PatientRetry {

    private static final Logger LOG = Logger.getLogger(PatientRetry.class);

    private final Timers timers;
    private final Duration delayMin;
    private final Duration delayMax;
    private final DoubleSupplier random;
    private final AtomicInteger waiting = new AtomicInteger();

    /** @param random gives numbers from 0 (inclusive) to 1 (exclusive) */
    public PatientRetry(Timers timers, Duration delayMin, Duration delayMax, DoubleSupplier random) {
        this.timers = timers;
        this.delayMin = delayMin;
        this.delayMax = delayMax;
        this.random = random;
    }

    /**
     * Calls {@code attempt} until it ends otherwise than with {@link StoreUnavailableException}.
     *
     * @param name what is waited for, for the log
     */
    public <T> Uni<T> until(String name, Supplier<Uni<T>> attempt) {
        return Uni.createFrom().emitter(done -> new Loop<T>(name, attempt, done).attempt());
    }

    /** How many writes wait for a store just now. */
    public int waiting() {
        return waiting.get();
    }

    private final class Loop<T> {
        private final String name;
        private final Supplier<Uni<T>> attempt;
        private final UniEmitter<? super T> done;
        private Duration delay = Duration.ZERO;

        Loop(String name, Supplier<Uni<T>> attempt, UniEmitter<? super T> done) {
            this.name = name;
            this.attempt = attempt;
            this.done = done;
        }

        void attempt() {
            Uni.createFrom()
                    .deferred(attempt::get)
                    .subscribe()
                    .with(
                            item -> {
                                if (!delay.isZero()) {
                                    LOG.infof("%s is back", name);
                                }
                                over();
                                done.complete(item);
                            },
                            this::failed);
        }

        private void failed(Throwable failure) {
            if (!(failure instanceof StoreUnavailableException)) {
                over();
                done.fail(failure);
                return;
            }
            if (delay.isZero()) {
                waiting.incrementAndGet();
                LOG.warnf("Waiting for %s: %s", name, failure.getMessage());
                delay = delayMin;
            } else {
                Duration doubled = delay.multipliedBy(2);
                delay = doubled.compareTo(delayMax) > 0 ? delayMax : doubled;
            }
            timers.after(Duration.ofNanos((long) (delay.toNanos() * (1 - random.getAsDouble() / 2))), this::attempt);
        }

        private void over() {
            if (!delay.isZero()) {
                waiting.decrementAndGet();
            }
        }
    }
}
