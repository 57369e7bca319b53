package io.flagtally.simulation;

import io.flagtally.codec.EventCodec;
import io.flagtally.codec.EventHeaders;
import io.flagtally.event.EnvironmentId;
import io.flagtally.event.FlagEvent;
import io.flagtally.event.SourceId;
import io.flagtally.pipeline.DeadLetter;
import io.flagtally.pipeline.DeadLetters;
import io.flagtally.pipeline.PipelineConfig;
import io.flagtally.rollup.BucketCalendar;
import io.flagtally.rollup.CountKey;
import io.flagtally.rollup.EventBatch;
import io.flagtally.rollup.EventIdentity;
import io.flagtally.testing.RandomEvents;
import io.flagtally.testing.WireLines;
import io.smallrye.mutiny.Uni;
import java.time.Duration;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;

/**
 * One run of one seed: clients publish and retry, processes die and come back, and at every step each counter lies
 * between what was acknowledged and what was attempted; at rest it is what was accepted.
 */
final class Simulation {

    private static final Duration WINDOW = Duration.ofHours(24);
    private static final int REQUESTS = 12;
    private static final int EVENTS_A_REQUEST_MAX = 8;
    private static final int SENDING_MILLIS = 60_000;
    private static final int STEPS_MAX = 200_000;

    private final VirtualTime time = new VirtualTime(RandomEvents.NOW);
    private final History history = new History(time);
    private final BucketCalendar calendar = new BucketCalendar(ZoneOffset.UTC);
    private final EventCodec codec;
    private final PipelineConfig config;
    private final Random random;
    private final Faults faults;
    private final RandomEvents events;
    private final SimulatedStore store;
    private final SimulatedBroker broker;
    private final Set<DeadLetter> putAside = new HashSet<>();
    private final Map<CountKey, Set<EventIdentity>> attempted = new HashMap<>();
    private final List<SimulatedProcess> processes = new ArrayList<>();
    private int started;

    Simulation(long seed, boolean deduplication, EventCodec codec, PipelineConfig config) {
        this.codec = codec;
        this.config = config;
        random = new Random(seed);
        faults = new Faults(random);
        events = new RandomEvents(seed);
        store = new SimulatedStore(time, faults, history, deduplication, WINDOW);
        broker = new SimulatedBroker(time, faults, history, WINDOW);
    }

    /** Runs to rest. Returns what is wrong with the numbers, or an empty text. */
    String run() {
        for (int i = 0; i < faults.processes; i++) {
            start();
        }
        for (int i = 0; i < REQUESTS; i++) {
            time.after(faults.within(SENDING_MILLIS), this::request);
        }
        if (faults.happens(faults.storeOutage)) {
            time.after(faults.within(SENDING_MILLIS), () -> store.outage(faults.within(120_000)));
        }
        int steps = 0;
        while (time.step()) {
            String wrong = wrongBetween();
            if (!wrong.isEmpty()) {
                return wrong;
            }
            if (++steps > STEPS_MAX) {
                return "no rest after " + STEPS_MAX + " steps";
            }
        }
        return wrongAtRest();
    }

    History history() {
        return history;
    }

    private void start() {
        SimulatedProcess process = new SimulatedProcess(
                ++started, broker, store, new Aside(), codec, config, WINDOW, calendar, time, faults);
        history.note("process %s starts", process);
        processes.add(process);
        broker.join(process);
        if (faults.happens(faults.processDies)) {
            time.after(faults.within(SENDING_MILLIS), () -> {
                history.note("process %s dies", process);
                process.die();
                time.after(faults.within(5_000), this::start);
            });
        }
    }

    private void request() {
        List<FlagEvent> sent = new ArrayList<>();
        int count = 1 + faults.below(EVENTS_A_REQUEST_MAX);
        for (int i = 0; i < count; i++) {
            sent.add(events.evaluation());
        }
        publish(sent);
    }

    /** Publishes; if the client does not see the reply, it sends the same events again. */
    private void publish(List<FlagEvent> sent) {
        Map<CountKey, Set<EventIdentity>> identities = new HashMap<>();
        EventBatch.of(calendar, sent)
                .rollup()
                .counts()
                .forEach((key, delta) -> identities.put(key, delta.identities()));
        identities.forEach((key, ids) ->
                attempted.computeIfAbsent(key, k -> new HashSet<>()).addAll(ids));
        EventHeaders headers =
                new EventHeaders(EnvironmentId.DEFAULT, SourceId.WEB, codec.contentType(), sent.size(), time.instant());
        history.note("client sends %d events", sent.size());
        broker.publish(WireLines.payload(sent), headers, identities);
        if (faults.happens(faults.publishReplyLost)) {
            history.note("client sees no reply and will send them again");
            time.after(faults.within(10_000), () -> publish(sent));
        }
    }

    private String wrongBetween() {
        for (Map.Entry<CountKey, Long> counted : store.counts().entrySet()) {
            int most = attempted.getOrDefault(counted.getKey(), Set.of()).size();
            if (counted.getValue() > most) {
                return counted.getKey() + " counts " + counted.getValue() + " of " + most + " events";
            }
        }
        return broker.acknowledgedBeyond(store.counts());
    }

    private String wrongAtRest() {
        for (Map.Entry<CountKey, Set<EventIdentity>> key : attempted.entrySet()) {
            long counted = store.counts().getOrDefault(key.getKey(), 0L);
            if (counted != key.getValue().size()) {
                return "at rest " + key.getKey() + " counts " + counted + " of "
                        + key.getValue().size() + " events";
            }
        }
        return "";
    }

    /** The place for events at fault; it never fails here, the store has faults enough. */
    private final class Aside implements DeadLetters {
        @Override
        public Uni<Void> put(List<DeadLetter> letters) {
            letters.forEach(letter -> history.note("event %s put aside: %s", letter.eventId(), letter.code()));
            putAside.addAll(letters);
            return Uni.createFrom().voidItem();
        }
    }
}
