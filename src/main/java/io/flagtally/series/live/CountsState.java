package io.flagtally.series.live;

import com.fasterxml.jackson.core.io.JsonStringEncoder;
import java.time.LocalDate;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.stream.Collectors;

/**
 * What a stream of counts shows at one moment; puts together texts that were written once.
 *
 * @param list the flags, as a JSON array of their ids
 * @param shown the flags, in the order of the list
 * @param broker a JSON object or null
 */
record CountsState(
        String environment,
        String zone,
        LocalDate date,
        LivePart list,
        List<WatchedFlag.Shown> shown,
        boolean readable,
        String broker)
        implements LiveView.State {

    @Override
    public List<LivePart> parts() {
        List<LivePart> parts = new ArrayList<>(shown.size() + 1);
        parts.add(list);
        shown.stream().map(WatchedFlag.Shown::counts).filter(Objects::nonNull).forEach(parts::add);
        return parts;
    }

    @Override
    public String data(List<LivePart> changed) {
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

    @Override
    public String pulse() {
        return "{\"readable\":" + readable + ",\"broker\":" + broker + ",\"flags\":["
                + shown.stream().map(WatchedFlag.Shown::rate).collect(Collectors.joining(",")) + "]}";
    }
}
