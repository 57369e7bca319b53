package io.flagtally.rollup;

import io.flagtally.event.EvaluationEvent;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The events of a batch that belong to one {@link CountKey}. Filled by {@link Rollup}, then only read.
 *
 * <p>Two deltas are equal if they would add the same numbers; the order in which events came is not part of that.
 */
public final class CountDelta {

    private final List<EvaluationEvent> events = new ArrayList<>();
    private final Set<EventIdentity> identities = new LinkedHashSet<>();
    private final Set<String> users = new LinkedHashSet<>();

    CountDelta() {}

    void add(EvaluationEvent event) {
        events.add(event);
        identities.add(new EventIdentity(event.id(), event.time().getEpochSecond()));
        users.add(event.user().value());
    }

    void merge(CountDelta other) {
        events.addAll(other.events);
        identities.addAll(other.identities);
        users.addAll(other.users);
    }

    /** Every event as it came, repeats included. */
    public List<EvaluationEvent> events() {
        return Collections.unmodifiableList(events);
    }

    /** The distinct events: each once, however often the batch held it. */
    public Set<EventIdentity> identities() {
        return Collections.unmodifiableSet(identities);
    }

    /** The distinct users. */
    public Set<String> users() {
        return Collections.unmodifiableSet(users);
    }

    /** How many events of the batch repeat another one of it. */
    public long repeats() {
        return events.size() - identities.size();
    }

    @Override
    public boolean equals(@Nullable Object o) {
        return o instanceof CountDelta other
                && events.size() == other.events.size()
                && identities.equals(other.identities)
                && users.equals(other.users);
    }

    @Override
    public int hashCode() {
        return Objects.hash(identities, users);
    }
}
