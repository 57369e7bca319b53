package io.flagtally.pipeline;

import io.flagtally.event.EnvironmentId;
import io.smallrye.mutiny.Uni;
import java.util.List;
import java.util.Optional;
import java.util.UUID;

/** A port: the table of dead letters, to be read and sent back from. Calls fail when the store is away. */
public interface DeadLetterStore {

    /** How much of a payload a listing shows, in bytes. */
    int SHOWN_BYTES_MAX = 16 * 1024;

    /** Returns the letters of {@code query}, their payloads cut to {@link #SHOWN_BYTES_MAX}. */
    Uni<List<KeptLetter>> list(LetterQuery query);

    /** Returns the whole letter {@code id} of {@code environment}, if it is there. */
    Uni<Optional<KeptLetter>> read(EnvironmentId environment, UUID id);

    /** Removes {@code letter} unless it was put again since it was read; says whether it was removed. */
    Uni<Boolean> remove(KeptLetter letter);
}
