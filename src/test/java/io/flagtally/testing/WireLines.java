package io.flagtally.testing;

import io.flagtally.event.EvaluationEvent;
import io.flagtally.event.FlagEvent;
import io.flagtally.event.GoalEvent;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.stream.Collectors;

/** Events as an SDK writes them, one a line: the payload of a message. Ids must need no escaping. */
public final class WireLines {

    private WireLines() {}

    public static byte[] payload(List<? extends FlagEvent> events) {
        return events.stream()
                .map(event -> event.match(WireLines::evaluation, WireLines::goal))
                .collect(Collectors.joining("\n"))
                .getBytes(StandardCharsets.UTF_8);
    }

    private static String evaluation(EvaluationEvent event) {
        return "{\"id\":\"" + event.id() + "\",\"event\":{\"timestamp\":"
                + event.time().getEpochSecond() + ",\"featureId\":\"" + event.flag() + "\",\"featureVersion\":"
                + event.flagVersion() + ",\"variationId\":\"" + event.variation() + "\",\"userId\":\"" + event.user()
                + "\",\"reason\":{\"type\":\"" + event.reason() + "\"},\"sourceId\":"
                + event.source().number()
                + ",\"@type\":\"type.googleapis.com/bucketeer.event.client.EvaluationEvent\"}}";
    }

    private static String goal(GoalEvent event) {
        return "{\"id\":\"" + event.id() + "\",\"event\":{\"timestamp\":"
                + event.time().getEpochSecond() + ",\"goalId\":\"" + event.goal() + "\",\"value\":" + event.value()
                + ",\"userId\":\"" + event.user() + "\",\"sourceId\":"
                + event.source().number() + ",\"@type\":\"type.googleapis.com/bucketeer.event.client.GoalEvent\"}}";
    }
}
