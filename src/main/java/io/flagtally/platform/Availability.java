package io.flagtally.platform;

import jakarta.inject.Singleton;
import java.util.Collections;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentSkipListMap;

/**
 * What keeps the service from its work just now, as told by the part that knows. The doors answer 503 with these
 * sentences and readiness shows them. Safe for use by several threads.
 */
@Singleton
public class Availability {

    /** A kind of work that something may be missing for. */
    public enum Work {
        /** Taking events in. */
        ACCEPT,
        /** Getting the events that were taken from the broker. */
        CONSUME,
        /** Writing the events that were taken. In process nothing is taken that could not be written. */
        WRITE,
        /** Answering reads. */
        SERVE,
        /** Answering reads of active users, beyond what all reads need. */
        SERVE_USERS
    }

    private final Map<Work, Map<String, String>> missing = new ConcurrentHashMap<>();
    private final Map<String, String> notes = new ConcurrentSkipListMap<>();
    private volatile boolean brokerKeepsEvents;

    /**
     * Says that {@code work} cannot be done.
     *
     * @param what the thing that is missing; the key for {@link #regained}
     * @param sentence what is wrong, for a person
     */
    public void lost(Work work, String what, String sentence) {
        missing.computeIfAbsent(work, w -> new ConcurrentSkipListMap<>()).put(what, sentence);
    }

    /** Says that {@code what} no longer keeps {@code work} from being done. */
    public void regained(Work work, String what) {
        Map<String, String> ofWork = missing.get(work);
        if (ofWork != null) {
            ofWork.remove(what);
        }
    }

    /** Says that events are safe in a broker, so that they can be taken while they cannot be written. */
    public void brokerKeepsEvents() {
        brokerKeepsEvents = true;
    }

    /** What is missing for {@code work}, with a sentence each; empty if it can be done. */
    public Map<String, String> missing(Work work) {
        Map<String, String> ofWork = missing.getOrDefault(work, Map.of());
        if (work != Work.ACCEPT || brokerKeepsEvents) {
            return Collections.unmodifiableMap(ofWork);
        }
        Map<String, String> both = new TreeMap<>(missing.getOrDefault(Work.WRITE, Map.of()));
        both.putAll(ofWork);
        return Collections.unmodifiableMap(both);
    }

    /**
     * Says what a person should know though all work can be done. The last sentence about {@code what} stays until the
     * process ends.
     */
    public void note(String what, String sentence) {
        notes.put(what, sentence);
    }

    /** What a person should know, with a sentence each. */
    public Map<String, String> notes() {
        return Collections.unmodifiableMap(notes);
    }
}
