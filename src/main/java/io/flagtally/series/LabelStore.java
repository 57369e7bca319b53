package io.flagtally.series;

import io.flagtally.event.EnvironmentId;
import io.flagtally.event.FlagId;
import io.smallrye.mutiny.Uni;
import java.util.List;

/**
 * A port: keeps the names of things.
 *
 * <p>An implementation shows every write that was answered. It fails with
 * {@link io.flagtally.platform.error.UnavailableException} while its store is away.
 */
public interface LabelStore {

    /** Writes all of {@code labels}, which are of one environment, or none; one without a name is removed. The same again changes nothing. */
    Uni<Void> write(List<Label> labels);

    /** Returns the labels that {@code query} asks for, by kind, flag and id. */
    Uni<List<Label>> read(LabelQuery query);

    /** Returns the labels of {@code environments} themselves. */
    Uni<List<Label>> ofEnvironments(List<EnvironmentId> environments);

    /** Returns the labels of the flags of {@code environment}, without those of their variations; the first {@code limit} by id. */
    Uni<List<Label>> ofAllFlags(EnvironmentId environment, int limit);

    /** Returns the labels of {@code flags} and of their variations. */
    Uni<List<Label>> ofFlags(EnvironmentId environment, List<FlagId> flags);
}
