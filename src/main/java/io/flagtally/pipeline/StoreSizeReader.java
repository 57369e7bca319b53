package io.flagtally.pipeline;

import io.smallrye.mutiny.Uni;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** A port: tells how much a store holds. Costs the store a few milliseconds at most, whatever its size. */
public interface StoreSizeReader {

    /**
     * What a store holds.
     *
     * @param bytesMax how much it may hold, or null if it does not know
     */
    record StoreSize(long bytes, @Nullable Long bytesMax, List<KindSize> kinds) {}

    /**
     * What one kind of data takes.
     *
     * @param entries keys or rows, an estimate
     * @param estimated whether the bytes are an estimate too
     */
    record KindSize(String kind, long entries, long bytes, boolean estimated) {}

    /** The store's name. */
    String store();

    Uni<StoreSize> read();
}
