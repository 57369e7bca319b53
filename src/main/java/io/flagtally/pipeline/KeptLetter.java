package io.flagtally.pipeline;

import java.util.UUID;

/**
 * A dead letter in the table.
 *
 * @param puts how often it was put there; a letter that came back was put again
 * @param payloadBytes the size of its payload, of which a listing shows the beginning only
 */
public record KeptLetter(UUID id, DeadLetter letter, int puts, int payloadBytes) {}
