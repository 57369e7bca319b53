package io.flagtally.series.live;

import io.flagtally.event.FlagId;
import io.flagtally.rollup.BucketCalendar;
import io.flagtally.rollup.Granularity;
import io.flagtally.rollup.TimeBucket;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
import io.smallrye.mutiny.Uni;
import io.vertx.core.Vertx;
import java.time.InstantSource;
import java.time.LocalDate;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.Collectors;

/** A watched environment and its ticks: it is read by itself, so that one that is slow or fails holds up no other. */
final class TickedEnvironment {

    /** Whom environments are read from, and when. */
    record Source(
            LiveReader reader,
            LiveConfig config,
            BucketCalendar calendar,
            InstantSource clock,
            MeterRegistry meters,
            Vertx vertx) {}

    private final WatchedEnvironment watched;
    private final Source source;
    private final LiveTicker ticker;
    private final Readability readability;

    /** When the busiest flags were chosen last; used by one tick at a time. */
    private volatile long busiestNanos;

    TickedEnvironment(WatchedEnvironment watched, Source source) {
        this.watched = watched;
        this.source = source;
        this.ticker = new LiveTicker(source.vertx, source.config.tick(), this::read);
        this.readability =
                new Readability("Live counts of the environment " + watched.id().value());
    }

    WatchedEnvironment watched() {
        return watched;
    }

    LiveTicker ticker() {
        return ticker;
    }

    Readability readability() {
        return readability;
    }

    private Uni<Void> read() {
        TimeBucket today = source.calendar.bucketOf(Granularity.DAY, source.clock.instant());
        LocalDate date = source.calendar.localDate(today.start());
        long began = System.nanoTime();
        Timer.Sample sample = Timer.start(source.meters);
        return busiest(today)
                .chain(() -> {
                    List<FlagId> wanted = watched.wanted();
                    return source.reader.read(watched.id(), wanted, today).invoke(flags -> {
                        Map<FlagId, LiveFlag> byId =
                                flags.stream().collect(Collectors.toMap(LiveFlag::flag, Function.identity()));
                        watched.saw(date, wanted, byId, began);
                    });
                })
                .onItemOrFailure()
                .invoke((flags, failure) -> {
                    String outcome = failure == null ? "ok" : "failed";
                    sample.stop(source.meters.timer("flagtally.live.reads", "kind", "counts", "outcome", outcome));
                    readability.saw(began, failure);
                    if (failure != null) {
                        watched.saw(date, watched.wanted(), null, System.nanoTime());
                    }
                })
                .onFailure()
                .recoverWithNull()
                .replaceWithVoid();
    }

    private Uni<?> busiest(TimeBucket today) {
        int top = watched.top();
        long now = System.nanoTime();
        boolean due = !watched.busiestKnown()
                || now - busiestNanos >= source.config.busiestEvery().toNanos();
        if (top == 0 || !due) {
            return Uni.createFrom().voidItem();
        }
        return source.reader.busiest(watched.id(), today, top).invoke(flags -> {
            watched.busiest(flags);
            busiestNanos = now;
        });
    }
}
