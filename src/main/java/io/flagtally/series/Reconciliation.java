package io.flagtally.series;

import io.flagtally.event.EnvironmentId;
import io.flagtally.platform.error.ErrorCode;
import io.flagtally.platform.error.RefusedException;
import io.flagtally.platform.error.UnavailableException;
import io.flagtally.series.Counter.Days;
import io.smallrye.mutiny.Multi;
import io.smallrye.mutiny.Uni;
import java.time.DateTimeException;
import java.time.Instant;
import java.time.LocalDate;
import java.time.ZoneId;
import java.time.zone.ZoneRules;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.eclipse.microprofile.openapi.annotations.media.Schema;

/** Compares the daily events of two counters flag by flag, those that only one of them has seen included. */
final class Reconciliation {

    /** Flags that are read at once. */
    private static final int READS_AT_ONCE = 4;

    /** A day on which two counters differ. */
    @Schema(name = "ReconcileDifference")
    record Difference(String featureId, String variationId, Instant day, long here, long there) {}

    /**
     * What was compared.
     *
     * @param different the days of a variation that differ
     * @param differences the first of them, by flag, variation and day
     */
    record Result(int flags, long different, List<Difference> differences) {}

    /** The flags of a counter, and the zone of its days. */
    private record AllFlags(String zone, Set<String> ids) {}

    private final Counter here;
    private final Counter there;
    private final int flagsMax;
    private final int differencesMax;

    /** @param differencesMax how many differences are told */
    Reconciliation(Counter here, Counter there, int flagsMax, int differencesMax) {
        this.here = here;
        this.there = there;
        this.flagsMax = flagsMax;
        this.differencesMax = differencesMax;
    }

    /**
     * Fails with {@link RefusedException} if one of them has more flags than may be compared, or if their days are those
     * of different zones.
     */
    Uni<Result> compare(EnvironmentId environment, LocalDate from, LocalDate to) {
        return Uni.combine()
                .all()
                .unis(allFlags(here, environment), allFlags(there, environment))
                .asTuple()
                .chain(flags -> {
                    requireOneZone(flags.getItem1().zone(), flags.getItem2().zone());
                    Set<String> all = new TreeSet<>(flags.getItem1().ids());
                    all.addAll(flags.getItem2().ids());
                    return Multi.createFrom()
                            .iterable(all)
                            .onItem()
                            .transformToUni(flag -> compare(environment, flag, from, to))
                            .merge(READS_AT_ONCE)
                            .collect()
                            .in(() -> new Found(differencesMax), Found::add)
                            .map(found -> new Result(all.size(), found.different, found.differences()));
                });
    }

    /** A day of one zone is no day of another, so the counts of both say nothing about each other. */
    private static void requireOneZone(String here, String there) {
        if (!rules(here).equals(rules(there))) {
            throw new RefusedException(
                    ErrorCode.INVALID_ARGUMENT,
                    "The days here are those of " + here + " and there those of " + there
                            + ", so their counts cannot be compared; only counters with one flagtally.time.zone can.");
        }
    }

    private static ZoneRules rules(String zone) {
        try {
            return ZoneId.of(zone).getRules();
        } catch (DateTimeException e) {
            throw new UnavailableException("The other counter names a zone that is unknown here: " + zone + ".", e);
        }
    }

    private Uni<AllFlags> allFlags(Counter counter, EnvironmentId environment) {
        return flagsBehind(counter, environment, "", new TreeSet<>());
    }

    private Uni<AllFlags> flagsBehind(Counter counter, EnvironmentId environment, String after, Set<String> seen) {
        return counter.flags(environment, after).chain(page -> {
            boolean grew = seen.addAll(page.ids());
            int flags = Math.max(seen.size(), page.matching());
            if (flags > flagsMax) {
                throw new RefusedException(
                        ErrorCode.INVALID_ARGUMENT,
                        "A counter has " + flags + " flags; flagtally.reconcile.flags-max allows " + flagsMax + ".");
            }
            return page.next().isEmpty() || !grew
                    ? Uni.createFrom().item(new AllFlags(page.zone(), seen))
                    : flagsBehind(counter, environment, page.next(), seen);
        });
    }

    private Uni<Map<String, List<Difference>>> compare(
            EnvironmentId environment, String flag, LocalDate from, LocalDate to) {
        return Uni.combine()
                .all()
                .unis(here.days(environment, flag, from, to), there.days(environment, flag, from, to))
                .with((one, other) -> Map.of(flag, differences(flag, one, other)));
    }

    private static List<Difference> differences(String flag, Days here, Days there) {
        Map<String, Map<Instant, Long>> one = byDay(here);
        Map<String, Map<Instant, Long>> other = byDay(there);
        Set<String> variations = new TreeSet<>(one.keySet());
        variations.addAll(other.keySet());
        Set<Instant> days = new TreeSet<>(here.starts());
        days.addAll(there.starts());
        List<Difference> found = new ArrayList<>();
        for (String variation : variations) {
            for (Instant day : days) {
                long mine = one.getOrDefault(variation, Map.of()).getOrDefault(day, 0L);
                long theirs = other.getOrDefault(variation, Map.of()).getOrDefault(day, 0L);
                if (mine != theirs) {
                    found.add(new Difference(flag, variation, day, mine, theirs));
                }
            }
        }
        return found;
    }

    private static Map<String, Map<Instant, Long>> byDay(Days counted) {
        Map<String, Map<Instant, Long>> byVariation = new HashMap<>();
        counted.events().forEach((variation, events) -> {
            Map<Instant, Long> days = new HashMap<>();
            for (int i = 0; i < Math.min(events.size(), counted.starts().size()); i++) {
                days.put(counted.starts().get(i), events.get(i));
            }
            byVariation.put(variation, days);
        });
        return byVariation;
    }

    /** The differences that are told: the first ones, whatever the order in which flags are read. */
    private static final class Found {

        private final int max;
        private final NavigableMap<String, List<Difference>> byFlag = new TreeMap<>();
        private long different;
        private int kept;

        Found(int max) {
            this.max = max;
        }

        void add(Map<String, List<Difference>> found) {
            found.forEach((flag, some) -> {
                different += some.size();
                kept += some.size();
                byFlag.put(flag, some);
            });
            while (kept - byFlag.lastEntry().getValue().size() >= max) {
                kept -= byFlag.pollLastEntry().getValue().size();
            }
        }

        List<Difference> differences() {
            return byFlag.values().stream().flatMap(List::stream).limit(max).toList();
        }
    }
}
