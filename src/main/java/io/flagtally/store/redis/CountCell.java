package io.flagtally.store.redis;

import io.flagtally.event.EvaluationEvent;
import io.flagtally.rollup.CountDelta;
import io.flagtally.rollup.CountKey;
import io.flagtally.rollup.EventIdentity;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * What one call of the script adds to one counter: a whole delta, or a part of a large one.
 *
 * @param identities the distinct events, by ascending second
 * @param users distinct users; each user of the delta is in one of its cells
 */
record CountCell(CountKey key, CountDelta delta, List<EventIdentity> identities, List<String> users) {

    /** Most ids and most users of a cell: Lua cannot unpack more than about 7,000 at once. */
    static final int SIZE_MAX = 4_000;

    /** Cuts a delta into cells of bounded size. */
    static List<CountCell> of(CountKey key, CountDelta delta) {
        List<EventIdentity> identities = new ArrayList<>(delta.identities());
        identities.sort(Comparator.comparingLong(EventIdentity::epochSecond));
        List<String> users = List.copyOf(delta.users());
        List<CountCell> cells = new ArrayList<>();
        for (int from = 0; from < identities.size() || from < users.size(); from += SIZE_MAX) {
            cells.add(new CountCell(key, delta, part(identities, from), part(users, from)));
        }
        return cells;
    }

    int size() {
        return identities.size() + users.size();
    }

    /** The last second in which something of this cell happened. */
    long lastSecond() {
        return identities.isEmpty()
                ? key.hour().getEpochSecond()
                : identities.get(identities.size() - 1).epochSecond();
    }

    /** The events of the batch that this cell counts, repeats included. */
    List<EvaluationEvent> events() {
        if (identities.size() == delta.identities().size()) {
            return delta.events();
        }
        Set<EventIdentity> mine = new HashSet<>(identities);
        return delta.events().stream()
                .filter(event ->
                        mine.contains(new EventIdentity(event.id(), event.time().getEpochSecond())))
                .toList();
    }

    private static <T> List<T> part(List<T> all, int from) {
        int start = Math.min(from, all.size());
        return all.subList(start, Math.min(start + SIZE_MAX, all.size()));
    }
}
