package io.flagtally.pipeline;

import io.flagtally.event.EnvironmentId;
import io.flagtally.event.UserId;
import io.smallrye.mutiny.Uni;
import java.util.List;
import org.eclipse.microprofile.openapi.annotations.media.Schema;

/**
 * A port: a store that may know a person, and forgets one.
 *
 * <p>An implementation leaves its sums as if the person had not been there, as far as it can tell, beside writers at full
 * speed. The same again changes nothing. What is written afterwards stays. It fails with
 * {@link io.flagtally.platform.error.UnavailableException} when the same call may succeed later.
 */
public interface UserEraser {

    /**
     * What became of a person's data.
     *
     * @param removed what is gone
     * @param remaining a sentence each on what cannot be removed: what it is, and until when
     */
    record Erasure(List<Removed> removed, List<String> remaining) {}

    /** How much of something is gone. */
    @Schema(name = "ErasureRemoved")
    record Removed(String what, long count) {}

    /** Forgets {@code user} of {@code environment}. */
    Uni<Erasure> erase(EnvironmentId environment, UserId user);
}
