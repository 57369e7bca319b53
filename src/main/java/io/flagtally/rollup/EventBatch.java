package io.flagtally.rollup;

import io.flagtally.event.FlagEvent;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/** The events that are written together, and what they add up to. Filled by one thread, then only read. */
public final class EventBatch {

    private final List<FlagEvent> events = new ArrayList<>();
    private final BucketCalendar calendar;
    private final Rollup rollup;

    public EventBatch(BucketCalendar calendar) {
        this.calendar = calendar;
        this.rollup = new Rollup(calendar);
    }

    /** Returns a batch of {@code events}. */
    public static EventBatch of(BucketCalendar calendar, Iterable<? extends FlagEvent> events) {
        EventBatch batch = new EventBatch(calendar);
        events.forEach(batch::add);
        return batch;
    }

    public void add(FlagEvent event) {
        events.add(event);
        rollup.fold(event);
    }

    /** Every event as it came, repeats included. */
    public List<FlagEvent> events() {
        return Collections.unmodifiableList(events);
    }

    public Rollup rollup() {
        return rollup;
    }

    public int size() {
        return events.size();
    }

    /** Returns the part of this batch from event {@code from} (inclusive) to {@code to} (exclusive). */
    public EventBatch part(int from, int to) {
        return of(calendar, events.subList(from, to));
    }
}
