package io.flagtally.series.live;

import io.flagtally.platform.error.ErrorCode;
import io.flagtally.platform.error.RefusedException;
import io.micrometer.core.instrument.MeterRegistry;
import io.quarkus.runtime.ShutdownEvent;
import jakarta.enterprise.event.Observes;
import jakarta.inject.Inject;
import jakarta.inject.Singleton;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/** Who reads at this instance just now, so many and no more; all of them are sent away when it stops. */
@Singleton
class LiveReaders {

    private final LiveConfig config;
    private final Map<String, Integer> byKey = new HashMap<>();
    private final Set<LiveStream> open = ConcurrentHashMap.newKeySet();
    private int readers;

    @Inject
    LiveReaders(LiveConfig config, MeterRegistry meters) {
        this.config = config;
        meters.gauge("flagtally.live.readers", this, LiveReaders::size);
    }

    /**
     * Takes room for a reader.
     *
     * @throws RefusedException if there is none
     */
    synchronized void enter(String keyName) {
        int ofKey = byKey.getOrDefault(keyName, 0);
        if (readers >= config.readersMax()) {
            throw new RefusedException(
                    ErrorCode.RESOURCE_EXHAUSTED,
                    "This instance has " + config.readersMax()
                            + " live readers already (flagtally.live.readers-max); try again later, or at another"
                            + " instance.");
        }
        if (ofKey >= config.readersPerKeyMax()) {
            throw new RefusedException(
                    ErrorCode.RESOURCE_EXHAUSTED,
                    "The API key has " + config.readersPerKeyMax()
                            + " live readers here already (flagtally.live.readers-per-key-max); close some.");
        }
        readers++;
        byKey.put(keyName, ofKey + 1);
    }

    synchronized void leave(String keyName) {
        readers--;
        byKey.computeIfPresent(keyName, (name, count) -> count == 1 ? null : count - 1);
    }

    synchronized int size() {
        return readers;
    }

    void opened(LiveStream stream) {
        open.add(stream);
    }

    void closed(LiveStream stream) {
        open.remove(stream);
    }

    void stop(@Observes ShutdownEvent stopping) {
        List.copyOf(open).forEach(LiveStream::end);
    }
}
