package io.flagtally.brokers;

import io.flagtally.brokers.BrokerForTests.Raw;
import io.flagtally.codec.BucketeerCodec;
import io.flagtally.event.EvaluationEvent;
import io.flagtally.testing.RandomEvents;
import io.flagtally.testing.WireLines;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** Events of one flag, all different, as a message of the broker or a request to the door. */
final class SentEvents {

    /** The one variation of every event. */
    static final String VARIATION = "on";

    private static final int USERS = 97;

    private final RandomEvents made = new RandomEvents(System.nanoTime());
    private final Instant time = Instant.now().truncatedTo(ChronoUnit.SECONDS);
    private final String flag;
    private final int eventBytes;
    private final int users;
    private final List<String> ids = new ArrayList<>();

    SentEvents(String flag) {
        this(flag, 0);
    }

    /** @param eventBytes what an event is padded to, if it is smaller */
    SentEvents(String flag, int eventBytes) {
        this(flag, eventBytes, USERS);
    }

    /**
     * @param eventBytes what an event is padded to, if it is smaller
     * @param users event number n is of user n modulo this
     */
    SentEvents(String flag, int eventBytes, int users) {
        this.flag = flag;
        this.eventBytes = eventBytes;
        this.users = users;
    }

    String flag() {
        return flag;
    }

    /** The first second of the day of every event, in UTC. */
    long day() {
        return time.truncatedTo(ChronoUnit.DAYS).getEpochSecond();
    }

    /** The ids of all events made so far. */
    synchronized List<String> ids() {
        return List.copyOf(ids);
    }

    /** New events, one a line. */
    synchronized String lines(int events) {
        List<EvaluationEvent> some = Stream.generate(this::event).limit(events).toList();
        String lines = new String(WireLines.payload(some), StandardCharsets.UTF_8);
        int missing = eventBytes - lines.length() / events;
        return missing <= 0
                ? lines
                : lines.replace(
                        "\"reason\":", "\"metadata\":{\"padding\":\"" + "x".repeat(missing) + "\"},\"reason\":");
    }

    /** New events, as the body of a request. */
    String request(int events) {
        return request(lines(events));
    }

    /** The body of a request of these lines. */
    static String request(String lines) {
        return lines.lines().collect(Collectors.joining(",", "{\"events\":[", "],\"sourceId\":\"WEB\"}"));
    }

    /** A message with new events. */
    Raw message(int events) {
        return message(lines(events), events);
    }

    /** A message with these lines. */
    static Raw message(String lines, int events) {
        return message(lines.getBytes(StandardCharsets.UTF_8), events);
    }

    /** A message with these lines. */
    static Raw message(byte[] lines, int events) {
        return new Raw(
                lines,
                Map.of(
                        "content-type",
                        BucketeerCodec.CONTENT_TYPE,
                        "flagtally-environment",
                        "default",
                        "flagtally-source",
                        "WEB",
                        "flagtally-accepted-at",
                        Instant.now().toString(),
                        "flagtally-events",
                        String.valueOf(events)));
    }

    private EvaluationEvent event() {
        EvaluationEvent event = RandomEvents.evaluation(made.id(), flag, VARIATION, "user-" + ids.size() % users, time);
        ids.add(event.id().toString());
        return event;
    }
}
