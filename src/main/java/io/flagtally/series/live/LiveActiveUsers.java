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
import org.jspecify.annotations.Nullable;

/**
 * The active users of the environments that somebody watches, of today and of this month: read once a tick from sums, and
 * not at all when nobody watches. Safe for use by several threads.
 */
@Singleton
class LiveActiveUsers {

    /** An environment that somebody watches, read by itself: one that is slow or fails holds up no other. */
    private final class Watched {
        private final EnvironmentId id;
        private final LiveTicker ticker;
        private final Readability readability;
        private int readers;
        private volatile @Nullable LiveUsersResponse last;
        private volatile @Nullable UsersState state;
        private volatile long readNanos;

        Watched(EnvironmentId id) {
            this.id = id;
            this.ticker = new LiveTicker(vertx, config.activeUsersTick(), () -> read(this));
            this.readability = new Readability("Live active users of the environment " + id.value());
        }
    }

    private record UsersState(LivePart part, boolean readable) implements LiveView.State {
        @Override
        public List<LivePart> parts() {
            return List.of(part);
        }

        @Override
        public String data(List<LivePart> changed) {
            return part.json();
        }

        @Override
        public String pulse() {
            return "{\"readable\":" + readable + "}";
        }
    }

    private final ActiveUsersReader reader;
    private final LiveConfig config;
    private final BucketCalendar calendar;
    private final InstantSource clock;
    private final ObjectMapper json;
    private final MeterRegistry meters;
    private final Vertx vertx;
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
        this.vertx = vertx;
    }

    synchronized LiveView watch(EnvironmentId environment) {
        Watched watched = environments.computeIfAbsent(environment, id -> new Watched(id));
        watched.readers++;
        return new View(watched);
    }

    private synchronized void leave(Watched watched) {
        watched.readers--;
        if (watched.readers == 0) {
            environments.remove(watched.id, watched);
        }
    }

    private Uni<Void> read(Watched watched) {
        LocalDate today = calendar.localDate(clock.instant());
        YearMonth month = YearMonth.from(today);
        long began = System.nanoTime();
        Timer.Sample sample = Timer.start(meters);
        // The month after the day, so that it never has fewer users than the day has.
        Uni<List<PeriodActivity>> days =
                reader.days(watched.id, new DateSpan(today, today)).map(ActivityReading::activity);
        return days.chain(ofDay -> reader.months(List.of(watched.id), month, month)
                        .map(ActivityReading::activity)
                        .invoke(ofMonth -> saw(
                                watched,
                                began,
                                LiveUsersResponse.of(watched.id, calendar.zone().getId(), today, ofDay, ofMonth))))
                .ifNoItem()
                .after(config.activeUsersTick().multipliedBy(4))
                .fail()
                .onItemOrFailure()
                .invoke((read, failure) -> {
                    sample.stop(meters.timer(
                            "flagtally.live.reads",
                            "kind",
                            "active_users",
                            "outcome",
                            failure == null ? "ok" : "failed"));
                    watched.readability.saw(began, failure);
                    UsersState state = watched.state;
                    if (failure != null && state != null) {
                        watched.state = new UsersState(state.part, false);
                    }
                })
                .onFailure()
                .recoverWithNull()
                .replaceWithVoid();
    }

    private void saw(Watched watched, long began, LiveUsersResponse read) {
        LiveUsersResponse last = watched.last;
        UsersState state = watched.state;
        LiveUsersResponse next = last == null ? read : read.noLowerThan(last);
        if (state == null || !state.readable || !next.equals(last)) {
            watched.last = next;
            watched.state = new UsersState(LivePart.of("", text(next)), true);
        }
        watched.readNanos = began;
    }

    private String text(LiveUsersResponse users) {
        try {
            return json.writeValueAsString(users);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException(e);
        }
    }

    /** What one reader watches. */
    private final class View extends TickedView {
        private final Watched watched;

        View(Watched watched) {
            super(watched.ticker, watched.readability, () -> leave(watched));
            this.watched = watched;
        }

        @Override
        public @Nullable State state() {
            return watched.readNanos - openedNanos() >= 0 ? watched.state : null;
        }
    }
}
