package io.flagtally.pipeline;

import io.flagtally.pipeline.LedgerStore.Sample;
import io.flagtally.pipeline.PipelineResponse.Store;
import io.flagtally.pipeline.StoreSizeReader.StoreSize;
import io.flagtally.platform.error.UnavailableException;
import io.flagtally.platform.job.Job;
import io.quarkus.arc.All;
import io.smallrye.mutiny.Multi;
import io.smallrye.mutiny.Uni;
import jakarta.inject.Inject;
import jakarta.inject.Singleton;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * What the stores hold: read at most once a minute whoever asks, and noted down every hour, so that their growth can be
 * told. As a job it also drops what the ledger need no longer hold.
 */
@Singleton
class StoreSizes implements Job {

    private static final Duration EVERY = Duration.ofHours(1);
    private static final Duration FRESH = Duration.ofMinutes(1);
    private static final Duration GROWTH_OVER = Duration.ofDays(7);
    private static final Duration READ_TIMEOUT = Duration.ofSeconds(4);

    /** How long hours of the ledger and samples are kept. */
    private static final Duration KEPT = Duration.ofDays(90);

    private final List<StoreSizeReader> readers;
    private final LedgerStore ledger;
    private final InstantSource clock;
    private final Uni<List<Store>> shared;

    @Inject
    StoreSizes(@All List<StoreSizeReader> readers, LedgerStore ledger, InstantSource clock) {
        this.readers = readers;
        this.ledger = ledger;
        this.clock = clock;
        this.shared = Uni.createFrom().deferred(this::read).memoize().forFixedDuration(FRESH);
    }

    /** Returns what each store holds and how it grows, at most a minute old. */
    Uni<List<Store>> stores() {
        return shared;
    }

    private Uni<List<Store>> read() {
        Instant now = clock.instant();
        return ledger.oldestSamples(now.minus(GROWTH_OVER))
                .onFailure()
                .recoverWithItem(List.of())
                .chain(before -> Multi.createFrom()
                        .iterable(readers)
                        .onItem()
                        .transformToUniAndConcatenate(reader -> size(reader)
                                .map(size -> Store.of(reader.store(), size, before, now))
                                .onFailure()
                                .recoverWithItem(failure -> Store.unread(reader.store(), failure)))
                        .collect()
                        .asList());
    }

    private static Uni<StoreSize> size(StoreSizeReader reader) {
        return reader.read()
                .ifNoItem()
                .after(READ_TIMEOUT)
                .failWith(() -> new UnavailableException(
                        reader.store() + " did not tell its size within " + READ_TIMEOUT.toSeconds() + " s.", null));
    }

    @Override
    public String name() {
        return "store-sizes";
    }

    @Override
    public Optional<Duration> every() {
        return Optional.of(EVERY);
    }

    @Override
    public Uni<String> run() {
        Instant now = clock.instant();
        return Multi.createFrom()
                .iterable(readers)
                .onItem()
                .transformToUniAndConcatenate(reader -> size(reader)
                        .map(size -> samples(reader.store(), size, now))
                        .chain(samples -> ledger.putSamples(samples)
                                .replaceWith(reader.store() + ": noted " + samples.size() + " sizes"))
                        .onFailure()
                        .recoverWithItem(failure -> reader.store() + ": " + failure.getMessage()))
                .collect()
                .asList()
                .call(() -> ledger.forget(now.minus(KEPT)))
                .map(told -> String.join("; ", told));
    }

    private static List<Sample> samples(String store, StoreSize size, Instant now) {
        List<Sample> samples = new ArrayList<>();
        samples.add(new Sample(now, store, "", size.bytes()));
        size.kinds().forEach(kind -> samples.add(new Sample(now, store, kind.kind(), kind.bytes())));
        return samples;
    }
}
