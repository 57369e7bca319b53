package io.flagtally.replay;

import java.time.Instant;
import java.util.UUID;

/**
 * One event made of a line.
 *
 * @param line the record of the file, the header being 1
 * @param goal true for a goal event, whose goal is {@code subject}; else {@code subject} is the flag
 * @param variation empty for a goal event
 * @param value 0 for an evaluation event
 */
public record ReplayEvent(
        UUID id, long line, boolean goal, String user, String subject, String variation, double value, Instant time) {}
