package io.flagtally.platform;

import jakarta.inject.Singleton;
import java.util.Collections;
import java.util.Map;
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
        /** Answering reads. */
        SERVE
    }

    private final Map<Work, Map<String, String>> missing = new ConcurrentHashMap<>();
    private final Map<String, String> notes = new ConcurrentSkipListMap<>();

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

    /** What is missing for {@code work}, with a sentence each; empty if it can be done. */
    public Map<String, String> missing(Work work) {
        return Collections.unmodifiableMap(missing.getOrDefault(work, Map.of()));
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
