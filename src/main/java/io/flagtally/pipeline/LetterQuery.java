package io.flagtally.pipeline;

import io.flagtally.event.EnvironmentId;
import io.flagtally.platform.error.ErrorCode;
import java.util.Optional;
import java.util.UUID;

/**
 * Which dead letters are meant, in the order of their ids.
 *
 * @param code only letters of this code
 * @param after only letters behind this id
 * @param limit at most so many
 */
public record LetterQuery(EnvironmentId environment, Optional<ErrorCode> code, Optional<UUID> after, int limit) {}
