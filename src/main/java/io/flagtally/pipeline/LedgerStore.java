package io.flagtally.pipeline;

import io.smallrye.mutiny.Uni;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * A port: keeps what processes say of events, over restarts and for all of them, and what stores took.
 *
 * <p>Every method fails with {@link io.flagtally.platform.error.UnavailableException} while the store is away.
 */
public interface LedgerStore {

    /**
     * What a process says of itself.
     *
     * @param seenAt when it last did
     * @param ended whether that was its last word
     * @param vitals how it is, as JSON
     */
    record LedgerProcess(String instance, Instant startedAt, Instant seenAt, boolean ended, String vitals) {}

    /** Events of an hour, by entry, of all processes together. */
    record Hour(Instant from, Map<String, Long> events) {}

    /**
     * What the ledger says against what the store itself says.
     *
     * @param counted events written by the sink of long memory, as the ledger says
     * @param stored by how many its sums have grown
     */
    record SinceStart(Instant since, long counted, long stored) {}

    /** What a kind of data of a store took at a time; an empty kind is all of them. */
    record Sample(Instant at, String store, String kind, long bytes) {}

    /** Puts the sums of {@code hours} in place of those that this process put there before. May be repeated. */
    Uni<Void> put(LedgerProcess process, Map<Instant, Map<String, Long>> hours);

    /** Returns the hours that have any entry, from {@code from} on, newest first. */
    Uni<List<Hour>> hours(Instant from);

    /** Returns the processes that said something after {@code since}, the last first; at most 1,000. */
    Uni<List<LedgerProcess>> processes(Instant since);

    /** Returns nothing if the ledger has no begin. */
    Uni<Optional<SinceStart>> sinceStart();

    Uni<Void> putSamples(List<Sample> samples);

    /** Returns the oldest sample after {@code since} of each kind. */
    Uni<List<Sample>> oldestSamples(Instant since);

    /** Drops samples, processes and hours that are older. */
    Uni<Void> forget(Instant before);
}
