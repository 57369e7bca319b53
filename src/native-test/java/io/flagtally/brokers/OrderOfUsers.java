package io.flagtally.brokers;

import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Judges the order of each user's events. A broker may deliver again, and then goes on from there: an event is the next one
 * of its user after the one that came last, or one that came before. So all first deliveries are in order, none is left out,
 * and nothing is left out after a repeat.
 */
final class OrderOfUsers {

    private final Map<String, Integer> placeOf = new HashMap<>();
    private final Map<Integer, Integer> lastOfUser = new HashMap<>();
    private final Set<Integer> seen = new HashSet<>();
    private final int users;

    /** @param ids in the order in which they were sent; number n is of user n modulo {@code users} */
    OrderOfUsers(List<String> ids, int users) {
        this.users = users;
        ids.forEach(id -> placeOf.put(id, placeOf.size()));
    }

    /** Judges the event that came next; passes over one that was not sent. */
    void next(String id) {
        Integer place = placeOf.get(id);
        if (place == null) {
            return;
        }
        Integer last = lastOfUser.put(place % users, place);
        int successor = last == null ? place % users : last + users;
        boolean again = seen.contains(place) && place < successor;
        if (place != successor && !again) {
            throw new AssertionError("event " + place + " came after " + last + ", where " + successor + " was next");
        }
        seen.add(place);
    }

    /** Fails if an event never came. */
    void end() {
        if (seen.size() != placeOf.size()) {
            throw new AssertionError("only " + seen.size() + " of " + placeOf.size() + " events came");
        }
    }
}
