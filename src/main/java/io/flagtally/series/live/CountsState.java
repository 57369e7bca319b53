package io.flagtally.series.live;

import com.fasterxml.jackson.core.io.JsonStringEncoder;
import java.time.LocalDate;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Collectors;

/**
 * What streams of counts show at one moment to all who want the same; puts together texts that were written once, and
 * that once for all readers who lack the same. Safe for use by several threads.
 */
final class CountsState implements LiveView.State {

    /** Readers who keep up lack the same; texts for the others are not kept. */
    private static final int TEXTS_MAX = 4;

    private final String environment;
    private final String zone;
    private final LocalDate date;
    private final LivePart list;
    private final List<LivePart> parts;
    private final String pulse;
    private final Map<List<LivePart>, String> texts = new ConcurrentHashMap<>();

    /**
     * @param list the flags, as a JSON array of their ids
     * @param shown the flags, in the order of the list
     * @param broker a JSON object or null
     */
    CountsState(
            String environment,
            String zone,
            LocalDate date,
            LivePart list,
            List<WatchedFlag.Shown> shown,
            boolean readable,
            String broker) {
        this.environment = environment;
        this.zone = zone;
        this.date = date;
        this.list = list;
        parts = new ArrayList<>(shown.size() + 1);
        parts.add(list);
        shown.stream().map(WatchedFlag.Shown::counts).filter(Objects::nonNull).forEach(parts::add);
        pulse = "{\"readable\":" + readable + ",\"broker\":" + broker + ",\"flags\":["
                + shown.stream().map(WatchedFlag.Shown::rate).collect(Collectors.joining(",")) + "]}";
    }

    @Override
    public List<LivePart> parts() {
        return parts;
    }

    @Override
    public String data(List<LivePart> changed) {
        String kept = texts.get(changed);
        if (kept != null) {
            return kept;
        }
        String text = text(changed);
        if (texts.size() < TEXTS_MAX) {
            texts.put(List.copyOf(changed), text);
        }
        return text;
    }

    @Override
    public String pulse() {
        return pulse;
    }

    private String text(List<LivePart> changed) {
        boolean listChanged = changed.contains(list);
        StringBuilder text = new StringBuilder("{\"environmentId\":\"");
        JsonStringEncoder.getInstance().quoteAsString(environment, text);
        text.append("\",\"zone\":\"")
                .append(zone)
                .append("\",\"date\":\"")
                .append(date)
                .append('"');
        if (listChanged) {
            text.append(",\"featureIds\":").append(list.json());
        }
        return text.append(",\"flags\":[")
                .append(changed.stream()
                        .filter(part -> !part.equals(list))
                        .map(LivePart::json)
                        .collect(Collectors.joining(",")))
                .append("]}")
                .toString();
    }
}
