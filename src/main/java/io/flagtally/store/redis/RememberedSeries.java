package io.flagtally.store.redis;

import io.flagtally.event.EnvironmentId;
import io.flagtally.event.FlagId;
import io.flagtally.event.VariationId;
import io.flagtally.rollup.TimeBucket;
import io.flagtally.series.FlagSeries;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The series that were read last, the least recently used given up first. An entry is worth something only together with
 * a fresh look at its event counters: a user is never added without an event that raises one of them, so unchanged
 * counters mean unchanged unions, whose reckoning is what a read costs. That holds for one life of the store, so all of
 * them are forgotten with the connection and at any doubt. Safe for use by several threads.
 *
 * <p>The one exception: an event that repeats another one's id, second, flag and variation for another user counts
 * nothing and adds that user, who shows with the next event.
 */
final class RememberedSeries {

    /** Most numbers kept, over all entries; a number takes some 24 bytes. */
    static final int NUMBERS_MAX = 500_000;

    /** What was asked for. */
    record Question(EnvironmentId environment, FlagId flag, List<TimeBucket> buckets) {}

    /**
     * What was found.
     *
     * @param counts the event counters, by variation and then by bucket
     */
    record Answer(List<VariationId> variations, List<Long> counts, FlagSeries series) {

        private int numbers() {
            // Events, uniques, and the counters that vouch for them.
            return 3 * counts.size() + 1;
        }
    }

    private final Map<Question, Answer> answers = new LinkedHashMap<>(16, 0.75f, true);
    private int numbers;
    private long generation;

    /** What is read from now on may be put under this number, until all is forgotten. */
    synchronized long generation() {
        return generation;
    }

    /** Whether nothing was forgotten since {@code then}. */
    synchronized boolean holds(long then) {
        return generation == then;
    }

    /** Forgets everything, and what is being read just now. */
    synchronized void forget() {
        answers.clear();
        numbers = 0;
        generation++;
    }

    synchronized @Nullable Answer get(Question question) {
        return answers.get(question);
    }

    /** @param readIn the generation in which the reading began */
    synchronized void put(Question question, Answer answer, long readIn) {
        if (readIn != generation) {
            return;
        }
        Answer before = answers.put(question, answer);
        numbers += answer.numbers() - (before == null ? 0 : before.numbers());
        Iterator<Answer> eldest = answers.values().iterator();
        while (numbers > NUMBERS_MAX && eldest.hasNext()) {
            numbers -= eldest.next().numbers();
            eldest.remove();
        }
    }

    synchronized int size() {
        return answers.size();
    }
}
