package io.flagtally.platform;

import io.quarkus.arc.All;
import io.vertx.core.Vertx;
import jakarta.inject.Inject;
import jakarta.inject.Singleton;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.atomic.AtomicBoolean;
import org.eclipse.microprofile.config.ConfigProvider;
import org.jboss.logging.Logger;
import org.jspecify.annotations.Nullable;

/**
 * What the broker of the channel {@code events} said of itself last. It is asked on a worker thread, while somebody wants
 * to know. Safe for use by several threads.
 */
@Singleton
public class BrokerInUse {

    /**
     * What it said.
     *
     * @param lag how many messages wait in it, or empty if it does not tell
     * @param missing a sentence if it cannot be used
     */
    public record Said(String name, OptionalLong lag, Optional<String> missing) {}

    private static final Logger LOG = Logger.getLogger(BrokerInUse.class);
    private static final String CONNECTOR = "mp.messaging.incoming.events.connector";
    private static final Duration FRESH = Duration.ofSeconds(2);

    private final @Nullable BrokerState state;
    private final Vertx vertx;
    private final AtomicBoolean asking = new AtomicBoolean();
    private volatile @Nullable Said said;
    private volatile long saidNanos;

    @Inject
    public BrokerInUse(@All List<BrokerState> states, Vertx vertx) {
        String connector = ConfigProvider.getConfig()
                .getOptionalValue(CONNECTOR, String.class)
                .orElse("");
        this.state = states.stream()
                .filter(each -> each.connector().equals(connector))
                .findAny()
                .orElse(null);
        this.vertx = vertx;
        this.saidNanos = System.nanoTime() - FRESH.toNanos();
    }

    /** Returns what it said last, some seconds ago; null if it never said anything. Returns at once. */
    public @Nullable Said said() {
        BrokerState asked = state;
        if (asked != null && System.nanoTime() - saidNanos >= FRESH.toNanos() && asking.compareAndSet(false, true)) {
            var unused = vertx.executeBlocking(() -> new Said(asked.name(), asked.lag(), asked.missing()), false)
                    .onComplete(answer -> {
                        if (answer.succeeded()) {
                            said = answer.result();
                        } else {
                            LOG.debugf("The broker says nothing of itself: %s", answer.cause());
                        }
                        saidNanos = System.nanoTime();
                        asking.set(false);
                    });
        }
        return said;
    }
}
