package io.flagtally.series;

import io.flagtally.event.EnvironmentId;
import io.flagtally.rollup.TimeBucket;
import io.smallrye.mutiny.Uni;
import java.util.List;

/**
 * A port: reads what has been seen.
 *
 * <p>An implementation never writes and shows every write that was acknowledged before the call. It fails with
 * {@link io.flagtally.platform.error.UnavailableException} while its store is away.
 */
public interface CatalogReader {

    /** Returns the environments of {@code scope} that have been seen, the one of the last event first. */
    Uni<List<SeenEnvironment>> environments(EnvironmentScope scope, TimeBucket today);

    /** Returns the flags of an environment that {@code query} asks for, by flag id. */
    Uni<FlagPage> flags(EnvironmentId environment, FlagQuery query, TimeBucket today);
}
