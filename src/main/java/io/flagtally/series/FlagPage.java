package io.flagtally.series;

import java.util.List;

/**
 * A page of flags.
 *
 * @param flags by flag id
 * @param matching how many flags match, on all pages
 * @param more whether a page follows
 */
public record FlagPage(List<SeenFlag> flags, int matching, boolean more) {}
