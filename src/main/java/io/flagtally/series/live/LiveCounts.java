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
import io.flagtally.series.live.WatchedEnvironment.Seen;
import io.micrometer.core.instrument.MeterRegistry;
import io.vertx.core.Vertx;
import jakarta.inject.Inject;
import jakarta.inject.Singleton;
import java.time.InstantSource;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.Consumer;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * The counts of the flags that somebody watches: read once a tick, whoever watches, and not at all when nobody does. While
 * they cannot be read, the last ones stand. Safe for use by several threads.
 */
@Singleton
class LiveCounts {

    private final BrokerInUse broker;
    private final LiveConfig config;
    private final BucketCalendar calendar;
    private final ObjectMapper json;
    private final TickedEnvironment.Source source;
    private final Map<EnvironmentId, TickedEnvironment> environments = new HashMap<>();
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
        this.broker = broker;
        this.config = config;
        this.calendar = new BucketCalendar(time.zone());
        this.json = json;
        this.source = new TickedEnvironment.Source(reader, config, calendar, clock, meters, vertx);
        meters.gauge("flagtally.live.flags", this, LiveCounts::watchedFlags);
    }

    /** @throws RefusedException if this instance watches too many flags already */
    LiveView watch(EnvironmentId environment, List<FlagId> flags) {
        TickedEnvironment watched = room(environment, flags.size(), each -> each.watch(flags));
        return new View(watched, flags, seen -> flags, () -> leave(watched, each -> each.leave(flags)));
    }

    /** @throws RefusedException if this instance watches too many flags already */
    LiveView watchBusiest(EnvironmentId environment, int top) {
        TickedEnvironment watched = room(environment, top, each -> each.watchBusiest(top));
        return new View(
                watched,
                top,
                seen -> seen.busiest().subList(0, Math.min(top, seen.busiest().size())),
                () -> leave(watched, each -> each.leaveBusiest(top)));
    }

    private synchronized TickedEnvironment room(
            EnvironmentId environment, int more, Consumer<WatchedEnvironment> watch) {
        if (watchedFlags() + more > config.flagsMax()) {
            throw new RefusedException(
                    ErrorCode.RESOURCE_EXHAUSTED,
                    "This instance watches " + config.flagsMax()
                            + " flags already (flagtally.live.flags-max); try again later, or at another instance.");
        }
        TickedEnvironment ticked = environments.computeIfAbsent(
                environment, id -> new TickedEnvironment(new WatchedEnvironment(id, json), source));
        watch.accept(ticked.watched());
        return ticked;
    }

    /** What was read of an environment is forgotten with its last reader: the next one must not see it. */
    private synchronized void leave(TickedEnvironment ticked, Consumer<WatchedEnvironment> leave) {
        leave.accept(ticked.watched());
        if (ticked.watched().isEmpty()) {
            environments.remove(ticked.watched().id(), ticked);
        }
    }

    private synchronized int watchedFlags() {
        return environments.values().stream()
                .mapToInt(each -> each.watched().size())
                .sum();
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

    private CountsState state(EnvironmentId environment, Seen seen, List<FlagId> flags) {
        String ids = text(flags.stream().map(FlagId::value).toList());
        List<WatchedFlag.Shown> shown = flags.stream()
                .map(seen.flags()::get)
                .map(flag -> Objects.requireNonNull(flag))
                .toList();
        return new CountsState(
                environment.value(),
                calendar.zone().getId(),
                seen.date(),
                LivePart.of(environment.value(), ids),
                shown,
                seen.readable() && shown.stream().allMatch(WatchedFlag.Shown::current),
                broker());
    }

    /** What one reader watches of an environment. */
    private final class View extends TickedView {
        private final WatchedEnvironment environment;
        private final Object wanted;
        private final Function<Seen, List<FlagId>> choice;

        /** @param wanted equal for readers who want the same */
        View(TickedEnvironment ticked, Object wanted, Function<Seen, List<FlagId>> choice, Runnable leave) {
            super(ticked.ticker(), ticked.readability(), leave);
            this.environment = ticked.watched();
            this.wanted = wanted;
            this.choice = choice;
        }

        @Override
        public @Nullable State state() {
            Seen seen = environment.seen();
            if (seen == null || !seen.isSince(openedNanos())) {
                return null;
            }
            List<FlagId> flags = choice.apply(seen);
            if (wanted instanceof Integer && !environment.busiestKnown()
                    || !seen.flags().keySet().containsAll(flags)) {
                return null;
            }
            return seen.state(wanted, () -> LiveCounts.this.state(environment.id(), seen, flags));
        }
    }
}
