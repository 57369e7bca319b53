package io.flagtally.series;

import io.flagtally.event.FlagId;
import java.util.Set;

/**
 * Which flags are meant.
 *
 * @param contains part of the flag id, letter case aside; empty for all
 * @param named flags that are meant whatever their id is, as their name was found
 * @param after only ids after this one; empty for the first page
 * @param limit at most so many
 */
public record FlagQuery(String contains, Set<FlagId> named, String after, int limit) {}
