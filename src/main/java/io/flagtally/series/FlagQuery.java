package io.flagtally.series;

/**
 * Which flags are meant.
 *
 * @param contains part of the flag id, letter case aside; empty for all
 * @param after only ids after this one; empty for the first page
 * @param limit at most so many
 */
public record FlagQuery(String contains, String after, int limit) {}
