package io.flagtally.series;

import io.smallrye.mutiny.Uni;
import java.util.List;

/**
 * A port: reads when the store may have forgotten counts.
 *
 * <p>Every process shows what any process found, the last found first, at most a hundred. Fails with {@link
 * io.flagtally.platform.error.UnavailableException} while its store is away.
 */
public interface DoubtReader {

    /** Returns the latest doubts; empty if there are none. */
    Uni<List<Doubt>> doubts();
}
