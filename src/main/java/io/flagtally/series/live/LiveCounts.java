package io.flagtally.series.live;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.flagtally.event.EnvironmentId;
import io.flagtally.event.FlagId;
import io.flagtally.platform.BrokerInUse;
import io.flagtally.platform.config.TimeConfig;
import io.flagtally.platform.error.ErrorCode;
import io.flagtally.platform.error.RefusedException;
import io.flagtally.rollup.BucketCalendar;
import io.flagtally.rollup.Granularity;
import io.flagtally.rollup.TimeBucket;
import io.flagtally.series.live.WatchedEnvironment.Seen;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
import io.smallrye.mutiny.Uni;
import io.vertx.core.Vertx;
import jakarta.inject.Inject;
import jakarta.inject.Singleton;
import java.time.InstantSource;
import java.time.LocalDate;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.jboss.logging.Logger;
import org.jspecify.annotations.Nullable;

/**
 * The counts of the flags that somebody watches: read once a tick, whoever watches, and not at all when nobody does. While
 * they cannot be read, the last ones stand. Safe for use by several threads.
 */
@Singleton
class LiveCounts {

    private static final Logger LOG = Logger.getLogger(LiveCounts.class);

    private final LiveReader reader;
    private final BrokerInUse broker;
    private final LiveConfig config;
    private final BucketCalendar calendar;
    private final InstantSource clock;
    private final ObjectMapper json;
    private final MeterRegistry meters;
    private final LiveTicker ticker;
    private final Map<EnvironmentId, WatchedEnvironment> environments = new HashMap<>();
    private final Map<EnvironmentId, Long> busiestReadNanos = new HashMap<>();
    private boolean readable = true;
    private volatile @Nullable BrokerText brokerText;

    @Inject
    @SuppressWarnings("TooManyParameters")
    LiveCounts(
            LiveReader reader,
            BrokerInUse broker,
            LiveConfig config,
            TimeConfig time,
            InstantSource clock,
            ObjectMapper json,
            MeterRegistry meters,
            Vertx vertx) {
        this.reader = reader;
        this.broker = broker;
        this.config = config;
        this.calendar = new BucketCalendar(time.zone());
        this.clock = clock;
        this.json = json;
        this.meters = meters;
        this.ticker = new LiveTicker(vertx, config.tick(), this::read);
        meters.gauge("flagtally.live.flags", this, LiveCounts::watchedFlags);
    }

    /** @throws RefusedException if this instance watches too many flags already */
    LiveView watch(EnvironmentId environment, List<FlagId> flags) {
        WatchedEnvironment watched = room(environment, flags.size(), each -> each.watch(flags));
        LivePart list = list(environment, flags);
        return new View(watched, seen -> flags, list, () -> leave(watched, each -> each.leave(flags)));
    }

    /** @throws RefusedException if this instance watches too many flags already */
    LiveView watchBusiest(EnvironmentId environment, int top) {
        WatchedEnvironment watched = room(environment, top, each -> each.watchBusiest(top));
        return new View(
                watched,
                seen -> seen.busiest().subList(0, Math.min(top, seen.busiest().size())),
                null,
                () -> leave(watched, each -> each.leaveBusiest(top)));
    }

    private synchronized WatchedEnvironment room(
            EnvironmentId environment, int more, Consumer<WatchedEnvironment> watch) {
        if (watchedFlags() + more > config.flagsMax()) {
            throw new RefusedException(
                    ErrorCode.RESOURCE_EXHAUSTED,
                    "This instance watches " + config.flagsMax()
                            + " flags already (flagtally.live.flags-max); try again later, or at another instance.");
        }
        WatchedEnvironment watched = environments.computeIfAbsent(environment, id -> new WatchedEnvironment(id, json));
        watch.accept(watched);
        return watched;
    }

    /** What was read of an environment is forgotten with its last reader: the next one must not see it. */
    private synchronized void leave(WatchedEnvironment watched, Consumer<WatchedEnvironment> leave) {
        leave.accept(watched);
        if (watched.isEmpty()) {
            environments.remove(watched.id(), watched);
            busiestReadNanos.remove(watched.id());
        }
    }

    private synchronized int watchedFlags() {
        return environments.values().stream().mapToInt(WatchedEnvironment::size).sum();
    }

    private synchronized List<WatchedEnvironment> watched() {
        return List.copyOf(environments.values());
    }

    private Uni<Void> read() {
        return LiveTicker.oneByOne(watched(), this::read);
    }

    private Uni<Void> read(WatchedEnvironment environment) {
        TimeBucket today = calendar.bucketOf(Granularity.DAY, clock.instant());
        LocalDate date = calendar.localDate(today.start());
        long began = System.nanoTime();
        Timer.Sample sample = Timer.start(meters);
        return busiest(environment, today)
                .chain(() -> {
                    List<FlagId> wanted = environment.wanted();
                    return reader.read(environment.id(), wanted, today).invoke(flags -> {
                        Map<FlagId, LiveFlag> byId =
                                flags.stream().collect(Collectors.toMap(LiveFlag::flag, Function.identity()));
                        environment.saw(date, wanted, byId, began);
                    });
                })
                .onItemOrFailure()
                .invoke((flags, failure) -> told(environment, date, sample, failure))
                .onFailure()
                .recoverWithNull()
                .replaceWithVoid();
    }

    private Uni<?> busiest(WatchedEnvironment environment, TimeBucket today) {
        int top = environment.top();
        Long before = busiestRead(environment.id());
        long now = System.nanoTime();
        boolean due = before == null
                || !environment.busiestKnown()
                || now - before >= config.busiestEvery().toNanos();
        if (top == 0 || !due) {
            return Uni.createFrom().voidItem();
        }
        return reader.busiest(environment.id(), today, top).invoke(flags -> {
            environment.busiest(flags);
            remember(environment.id(), now);
        });
    }

    private synchronized @Nullable Long busiestRead(EnvironmentId environment) {
        return busiestReadNanos.get(environment);
    }

    private synchronized void remember(EnvironmentId environment, long nanos) {
        busiestReadNanos.put(environment, nanos);
    }

    private void told(
            WatchedEnvironment environment, LocalDate date, Timer.Sample sample, @Nullable Throwable failure) {
        sample.stop(
                meters.timer("flagtally.live.reads", "kind", "counts", "outcome", failure == null ? "ok" : "failed"));
        if (failure != null) {
            if (readable) {
                LOG.warnf("Live counts cannot be read: %s", failure.getMessage());
            }
            environment.saw(date, environment.wanted(), null, System.nanoTime());
        } else if (!readable) {
            LOG.info("Live counts can be read again");
        }
        readable = failure == null;
    }

    /** The broker as a stream words it. */
    private record BrokerResponse(String name, @Nullable Long lag) {}

    /** What the broker said, and that as JSON: every reader is given the same text until it says something else. */
    private record BrokerText(BrokerInUse.Said said, String text) {}

    private String broker() {
        BrokerInUse.Said said = broker.said();
        if (said == null) {
            return "null";
        }
        BrokerText last = brokerText;
        if (last == null || last.said != said) {
            Long lag = said.lag().isPresent() ? said.lag().getAsLong() : null;
            last = new BrokerText(said, text(new BrokerResponse(said.name(), lag)));
            brokerText = last;
        }
        return last.text;
    }

    private String text(Object value) {
        try {
            return json.writeValueAsString(value);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException(e);
        }
    }

    private LivePart list(EnvironmentId environment, List<FlagId> flags) {
        return LivePart.of(
                environment.value(), text(flags.stream().map(FlagId::value).toList()));
    }

    /** What one reader watches of an environment. */
    private final class View extends TickedView {
        private final WatchedEnvironment environment;
        private final Function<Seen, List<FlagId>> choice;
        private final @Nullable LivePart fixedList;
        private volatile @Nullable Seen stateOf;
        private volatile @Nullable State state;

        View(
                WatchedEnvironment environment,
                Function<Seen, List<FlagId>> choice,
                @Nullable LivePart fixedList,
                Runnable leave) {
            super(ticker, leave);
            this.environment = environment;
            this.choice = choice;
            this.fixedList = fixedList;
        }

        @Override
        public @Nullable State state() {
            Seen seen = environment.seen();
            if (seen == null || !seen.isSince(openedNanos())) {
                return null;
            }
            if (seen == stateOf) {
                return state;
            }
            State next = state(seen);
            stateOf = seen;
            state = next;
            return next;
        }

        private @Nullable State state(Seen seen) {
            if (fixedList == null && !environment.busiestKnown()) {
                return null;
            }
            List<FlagId> flags = choice.apply(seen);
            List<WatchedFlag.Shown> shown = flags.stream()
                    .map(seen.flags()::get)
                    .filter(each -> each != null)
                    .toList();
            if (shown.size() < flags.size()) {
                return null;
            }
            LivePart list = fixedList == null ? list(environment.id(), flags) : fixedList;
            return new CountsState(
                    environment.id().value(),
                    calendar.zone().getId(),
                    seen.date(),
                    list,
                    shown,
                    seen.readable(),
                    broker());
        }
    }
}
