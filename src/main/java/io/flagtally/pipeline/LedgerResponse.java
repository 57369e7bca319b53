package io.flagtally.pipeline;

import io.flagtally.pipeline.LedgerStore.Hour;
import io.flagtally.pipeline.LedgerStore.LedgerProcess;
import io.flagtally.pipeline.LedgerStore.SinceStart;
import io.flagtally.platform.EventTally;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.eclipse.microprofile.openapi.annotations.media.Schema;
import org.jspecify.annotations.Nullable;

/** What came in against what became of it, as our own face words it. */
@Schema(description = "What came in against what became of it, of all processes and over their restarts")
record LedgerResponse(
        Instant at,

        @Schema(description = "How far the ledger may be behind")
        long flushedEverySeconds,

        @Schema(description = "Newest first; hours without any event are left out")
        List<HourEntry> hours,

        @Schema(description = "Null if no sink keeps sums in PostgreSQL") @Nullable
        Cumulated sinceStart) {

    /** Whether an hour adds up. */
    @Schema(name = "LedgerVerdict")
    enum Verdict {
        ADDS_UP,
        /** Some of what was accepted by its end was not delivered yet, or the hour is not over and written down. */
        UNDER_WAY,
        /** More was delivered than had been accepted. */
        REPEATED,
        /** A process ended without a last word. */
        LOST_SIGHT,
        /** A sink was given events of which it told nothing. */
        DOES_NOT_ADD_UP
    }

    /** After so many flushes that a process did not come to, it is gone, and what was seen before is written down. */
    private static final int SILENT_FLUSHES = 6;

    private record Balance(long underWay, long repeated) {}

    @Schema(name = "LedgerHour")
    record HourEntry(
            Instant from,
            Instant to,

            @Schema(description = "Events whose sender was told that they are safe")
            long accepted,

            @Schema(description = "Events of files that were offered to the sinks")
            long imported,

            @Schema(description = "Events that came through the channel and were settled")
            long delivered,

            @Schema(description = "Events that a door refused")
            long refused,

            @Schema(description = "Events that were put aside, whatever for")
            long setAside,

            @Schema(description = "Those of them that no sink was given")
            long malformed,

            List<SinkEntry> sinks,

            @Schema(description = "Events accepted by the end of the hour that are not delivered now")
            long underWay,

            @Schema(description = "By how much more was delivered than had been accepted and was still to come")
            long repeated,

            List<Lost> lostSight,
            Verdict verdict) {}

    @Schema(name = "LedgerSink")
    record SinkEntry(
            String sink,
            long offered,
            long counted,
            long duplicates,
            long setAside,

            @Schema(description = "offered - counted - duplicates - setAside")
            long unexplained) {}

    @Schema(name = "LedgerLost")
    record Lost(String instance, Instant seenAt) {}

    @Schema(name = "LedgerCumulated")
    record Cumulated(Instant since, long counted, long stored, long unexplained) {}

    /**
     * Judges the hours from {@code from} on.
     *
     * @param hours newest first; some of before {@code from} too, since what was accepted then may have come later
     */
    static LedgerResponse of(
            Instant now,
            Duration flushEvery,
            Instant from,
            List<Hour> hours,
            List<LedgerProcess> processes,
            @Nullable SinceStart start) {
        List<LedgerProcess> lost = processes.stream()
                .filter(process -> !process.ended() && isSilent(process, now, flushEvery))
                .toList();
        Instant settled = silentSince(now, flushEvery);
        List<Balance> balances = balances(hours);
        List<HourEntry> entries = new ArrayList<>();
        for (int i = 0; i < hours.size(); i++) {
            if (!hours.get(i).from().isBefore(from)) {
                entries.add(entry(hours.get(i), balances.get(i), lost, settled));
            }
        }
        return new LedgerResponse(
                now,
                flushEvery.toSeconds(),
                entries,
                start == null
                        ? null
                        : new Cumulated(
                                start.since(), start.counted(), start.stored(), start.stored() - start.counted()));
    }

    /** Whether nothing was heard of a process for so long that it is gone. */
    static boolean isSilent(LedgerProcess process, Instant now, Duration flushEvery) {
        return process.seenAt().isBefore(silentSince(now, flushEvery));
    }

    /** Who was last heard of before this is gone. */
    static Instant silentSince(Instant now, Duration flushEvery) {
        return now.minus(flushEvery.multipliedBy(SILENT_FLUSHES));
    }

    /**
     * Holds deliveries against what was accepted, first in, first out: an event that is accepted before a full hour and
     * delivered after it belongs to the earlier one. A surplus is told in its hour and not carried on, or else it would hide
     * that something is missing later.
     */
    private static List<Balance> balances(List<Hour> newestFirst) {
        int hours = newestFirst.size();
        long[] waiting = new long[hours];
        long[] repeated = new long[hours];
        long open = 0;
        for (int i = hours - 1; i >= 0; i--) {
            Map<String, Long> events = newestFirst.get(i).events();
            open += of(events, EventTally.ACCEPTED) - of(events, EventTally.DELIVERED);
            repeated[i] = Math.max(0, -open);
            open = Math.max(0, open);
            waiting[i] = open;
        }
        List<Balance> balances = new ArrayList<>(hours);
        long later = 0;
        for (int i = 0; i < hours; i++) {
            balances.add(new Balance(Math.max(0, waiting[i] - later), repeated[i]));
            later += of(newestFirst.get(i).events(), EventTally.DELIVERED) - repeated[i];
        }
        return balances;
    }

    private static HourEntry entry(Hour hour, Balance balance, List<LedgerProcess> lostProcesses, Instant settled) {
        Map<String, Long> events = hour.events();
        Instant to = hour.from().plus(Duration.ofHours(1));
        List<Lost> lost = lostProcesses.stream()
                .filter(process -> !process.seenAt().isBefore(hour.from())
                        && process.seenAt().isBefore(to))
                .map(process -> new Lost(process.instance(), process.seenAt()))
                .toList();
        List<SinkEntry> sinks = events.keySet().stream()
                .filter(entry -> entry.startsWith(EventTally.OFFERED))
                .map(entry -> entry.substring(EventTally.OFFERED.length()))
                .sorted()
                .map(sink -> sink(sink, events))
                .toList();
        return new HourEntry(
                hour.from(),
                to,
                of(events, EventTally.ACCEPTED),
                of(events, EventTally.IMPORTED),
                of(events, EventTally.DELIVERED),
                sum(events, EventTally.REFUSED),
                sum(events, EventTally.SET_ASIDE),
                of(events, EventTally.MALFORMED),
                sinks,
                balance.underWay,
                balance.repeated,
                lost,
                verdict(sinks, balance, !lost.isEmpty(), to.isAfter(settled)));
    }

    private static Verdict verdict(List<SinkEntry> sinks, Balance balance, boolean lost, boolean running) {
        if (sinks.stream().anyMatch(sink -> sink.unexplained != 0)) {
            return Verdict.DOES_NOT_ADD_UP;
        }
        if (lost) {
            return Verdict.LOST_SIGHT;
        }
        if (balance.underWay > 0) {
            return Verdict.UNDER_WAY;
        }
        if (balance.repeated > 0) {
            return running ? Verdict.UNDER_WAY : Verdict.REPEATED;
        }
        return Verdict.ADDS_UP;
    }

    private static SinkEntry sink(String sink, Map<String, Long> events) {
        long offered = of(events, EventTally.OFFERED + sink);
        long counted = of(events, EventTally.COUNTED + sink);
        long duplicates = of(events, EventTally.DUPLICATES + sink);
        long rejected = of(events, EventTally.REJECTED + sink);
        return new SinkEntry(sink, offered, counted, duplicates, rejected, offered - counted - duplicates - rejected);
    }

    private static long of(Map<String, Long> events, String entry) {
        return events.getOrDefault(entry, 0L);
    }

    private static long sum(Map<String, Long> events, String prefix) {
        return events.entrySet().stream()
                .filter(entry -> entry.getKey().startsWith(prefix))
                .mapToLong(Map.Entry::getValue)
                .sum();
    }
}
