package io.flagtally.series.live;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.flagtally.event.EnvironmentId;
import io.flagtally.platform.config.TimeConfig;
import io.flagtally.rollup.BucketCalendar;
import io.flagtally.series.ActiveUsersReader;
import io.flagtally.series.ActivityReading;
import io.flagtally.series.DateSpan;
import io.flagtally.series.PeriodActivity;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
import io.smallrye.mutiny.Uni;
import io.vertx.core.Vertx;
import jakarta.inject.Inject;
import jakarta.inject.Singleton;
import java.time.InstantSource;
import java.time.LocalDate;
import java.time.YearMonth;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jboss.logging.Logger;
import org.jspecify.annotations.Nullable;

/**
 * The active users of the environments that somebody watches, of today and of this month: read once a tick from sums, and
 * not at all when nobody watches. Safe for use by several threads.
 */
@Singleton
class LiveActiveUsers {

    private static final Logger LOG = Logger.getLogger(LiveActiveUsers.class);

    /** An environment that somebody watches. */
    private static final class Watched {
        private final EnvironmentId id;
        private int readers;
        private volatile @Nullable LiveUsersResponse last;
        private volatile @Nullable UsersState state;
        private volatile long readNanos;

        Watched(EnvironmentId id) {
            this.id = id;
        }
    }

    private record UsersState(LivePart part) implements LiveView.State {
        @Override
        public List<LivePart> parts() {
            return List.of(part);
        }

        @Override
        public String data(List<LivePart> changed) {
            return part.json();
        }

        @Override
        public @Nullable String pulse() {
            return null;
        }
    }

    private final ActiveUsersReader reader;
    private final LiveConfig config;
    private final BucketCalendar calendar;
    private final InstantSource clock;
    private final ObjectMapper json;
    private final MeterRegistry meters;
    private final LiveTicker ticker;
    private final Map<EnvironmentId, Watched> environments = new HashMap<>();

    @Inject
    LiveActiveUsers(
            ActiveUsersReader reader,
            LiveConfig config,
            TimeConfig time,
            InstantSource clock,
            ObjectMapper json,
            MeterRegistry meters,
            Vertx vertx) {
        this.reader = reader;
        this.config = config;
        this.calendar = new BucketCalendar(time.zone());
        this.clock = clock;
        this.json = json;
        this.meters = meters;
        this.ticker = new LiveTicker(vertx, config.activeUsersTick(), this::read);
    }

    synchronized LiveView watch(EnvironmentId environment) {
        Watched watched = environments.computeIfAbsent(environment, Watched::new);
        watched.readers++;
        return new View(watched);
    }

    private synchronized void leave(Watched watched) {
        watched.readers--;
        if (watched.readers == 0) {
            environments.remove(watched.id, watched);
        }
    }

    private synchronized List<Watched> watched() {
        return List.copyOf(environments.values());
    }

    private Uni<Void> read() {
        return LiveTicker.oneByOne(watched(), this::read);
    }

    private Uni<Void> read(Watched watched) {
        LocalDate today = calendar.localDate(clock.instant());
        YearMonth month = YearMonth.from(today);
        long began = System.nanoTime();
        Timer.Sample sample = Timer.start(meters);
        Uni<List<PeriodActivity>> months =
                reader.months(List.of(watched.id), month, month).map(ActivityReading::activity);
        return months.chain(ofMonth -> reader.days(watched.id, new DateSpan(today, today))
                        .map(ActivityReading::activity)
                        .invoke(ofDay -> saw(
                                watched,
                                began,
                                LiveUsersResponse.of(watched.id, calendar.zone().getId(), today, ofDay, ofMonth))))
                .ifNoItem()
                .after(config.activeUsersTick().multipliedBy(4))
                .fail()
                .onItemOrFailure()
                .invoke((days, failure) -> {
                    sample.stop(meters.timer(
                            "flagtally.live.reads",
                            "kind",
                            "active_users",
                            "outcome",
                            failure == null ? "ok" : "failed"));
                    if (failure != null) {
                        LOG.debugf("Live active users cannot be read: %s", failure);
                    }
                })
                .onFailure()
                .recoverWithNull()
                .replaceWithVoid();
    }

    private void saw(Watched watched, long began, LiveUsersResponse read) {
        show(watched, read);
        watched.readNanos = began;
    }

    private void show(Watched watched, LiveUsersResponse read) {
        LiveUsersResponse last = watched.last;
        LiveUsersResponse next = last == null ? read : read.noLowerThan(last);
        if (next.equals(last)) {
            return;
        }
        watched.last = next;
        try {
            watched.state = new UsersState(LivePart.of("", json.writeValueAsString(next)));
        } catch (JsonProcessingException e) {
            throw new IllegalStateException(e);
        }
    }

    /** What one reader watches. */
    private final class View extends TickedView {
        private final Watched watched;

        View(Watched watched) {
            super(ticker, () -> leave(watched));
            this.watched = watched;
        }

        @Override
        public @Nullable State state() {
            return watched.readNanos - openedNanos() >= 0 ? watched.state : null;
        }
    }
}
