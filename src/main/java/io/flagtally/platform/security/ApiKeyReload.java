package io.flagtally.platform.security;

import io.micrometer.core.instrument.MeterRegistry;
import io.quarkus.scheduler.Scheduled;
import io.quarkus.scheduler.Scheduled.ConcurrentExecution;
import jakarta.inject.Inject;
import jakarta.inject.Singleton;
import java.nio.file.Path;
import java.util.Map;
import org.jboss.logging.Logger;

/**
 * Takes over changed API keys while the service runs. What cannot be read or is not valid changes nothing: the old keys
 * stay in force, the log says why, and {@code flagtally.security.reloads} counts it.
 */
@Singleton
class ApiKeyReload {

    private static final Logger LOG = Logger.getLogger(ApiKeyReload.class);

    private final ApiKeys keys;
    private final ApiKeySources sources;
    private final MeterRegistry meters;
    private Map<Path, String> seen;

    @Inject
    ApiKeyReload(ApiKeys keys, ApiKeySources sources, MeterRegistry meters) {
        this.keys = keys;
        this.sources = sources;
        this.meters = meters;
        this.seen = sources.contents();
    }

    /** Looks whether a file has changed, and takes over its keys if so. Reads files, so never on an event loop. */
    @Scheduled(every = "${flagtally.security.reload-every:5s}", concurrentExecution = ConcurrentExecution.SKIP)
    synchronized void check() {
        Map<Path, String> now = sources.contents();
        if (now.equals(seen)) {
            return;
        }
        seen = now;
        try {
            int count = keys.replace(sources.read());
            LOG.infof("The API keys were read again; %d are known", count);
            count("taken");
        } catch (RuntimeException e) {
            LOG.errorf("The changed API keys are not taken over, the old ones stay in force: %s", sentence(e));
            count("refused");
        }
    }

    private void count(String outcome) {
        meters.counter("flagtally.security.reloads", "outcome", outcome).increment();
    }

    private static String sentence(Throwable failure) {
        String message = failure.getMessage();
        return message == null ? failure.toString() : message.strip().replaceAll("\\s+", " ");
    }
}
