package io.flagtally.replay;

import com.fasterxml.jackson.databind.MappingIterator;
import com.fasterxml.jackson.dataformat.csv.CsvMapper;
import com.fasterxml.jackson.dataformat.csv.CsvParser;
import io.flagtally.replay.ReplayOptions.Columns;
import io.flagtally.replay.ReplayOptions.Times;
import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.LocalDateTime;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.zip.GZIPInputStream;

/** Reads the events of a CSV file, in the order of its lines. A file is read twice: first for its {@link Extent}. */
public final class CsvEvents {

    private final ReplayOptions options;
    private final DateTimeFormatter formatter;

    public CsvEvents(ReplayOptions options) {
        this.options = options;
        String format = options.times().format();
        this.formatter = List.of("iso", "epoch-seconds", "epoch-millis").contains(format)
                ? DateTimeFormatter.ISO_INSTANT
                : DateTimeFormatter.ofPattern(format);
    }

    /** Takes one event; false ends the reading. */
    public interface Taker {
        boolean take(ReplayEvent event) throws IOException;
    }

    /** How many lines the file has, and from when to when they go. */
    public record Extent(long lines, Instant first, Instant last) {}

    /** Reads the whole file for its extent. */
    public Extent extent() throws IOException {
        Instant[] edges = {Instant.MAX, Instant.MIN};
        long[] lines = {0};
        lines((number, values, time) -> {
            edges[0] = time.isBefore(edges[0]) ? time : edges[0];
            edges[1] = time.isAfter(edges[1]) ? time : edges[1];
            lines[0]++;
            return true;
        });
        return new Extent(lines[0], edges[0], edges[1]);
    }

    /** Hands every event to {@code taker}. */
    public void forEach(Extent extent, Taker taker) throws IOException {
        TimeMapping mapping = new TimeMapping(options.times(), extent.first(), extent.last());
        EventIds ids = new EventIds(String.valueOf(options.file().getFileName()));
        lines((number, values, time) -> {
            for (ReplayEvent event : events(ids, number, values, mapping.map(time))) {
                if (!taker.take(event)) {
                    return false;
                }
            }
            return true;
        });
    }

    private List<ReplayEvent> events(EventIds ids, long number, Line line, Instant time) {
        Columns columns = options.columns();
        List<ReplayEvent> events = new ArrayList<>(2);
        String user = line.value(columns.user());
        if (columns.flag().isPresent()) {
            String variation = columns.variation().map(line::value).orElse("");
            String flag = line.value(columns.flag().get());
            events.add(new ReplayEvent(ids.of("evaluation", number), number, false, user, flag, variation, 0, time));
        }
        String goal = columns.goal().map(line::value).orElse("");
        if (!goal.isEmpty()) {
            double value = columns.value()
                    .map(line::value)
                    .filter(text -> !text.isEmpty())
                    .map(Double::parseDouble)
                    .orElse(0.0);
            events.add(new ReplayEvent(ids.of("goal", number), number, true, user, goal, "", value, time));
        }
        return events;
    }

    private interface LineTaker {
        boolean take(long number, Line line, Instant time) throws IOException;
    }

    private void lines(LineTaker taker) throws IOException {
        CsvMapper mapper = new CsvMapper();
        mapper.enable(CsvParser.Feature.WRAP_AS_ARRAY);
        try (InputStream in = open(options.file());
                MappingIterator<String[]> rows =
                        mapper.readerFor(String[].class).readValues(in)) {
            List<String> header = rows.hasNext() ? Arrays.asList(rows.next()) : List.of();
            long number = 1;
            while (rows.hasNext() && number <= options.linesMax()) {
                number++;
                Line line = new Line(header, rows.next(), number);
                if (!taker.take(number, line, time(line))) {
                    return;
                }
            }
        }
    }

    private static InputStream open(Path file) throws IOException {
        InputStream in = new BufferedInputStream(Files.newInputStream(file));
        return file.toString().endsWith(".gz") ? new GZIPInputStream(in, 1 << 16) : in;
    }

    private Instant time(Line line) {
        String text = line.value(options.columns().timestamp());
        Times times = options.times();
        try {
            return switch (times.format()) {
                case "iso" -> Instant.parse(text);
                case "epoch-seconds" -> Instant.ofEpochSecond(Long.parseLong(text));
                case "epoch-millis" -> Instant.ofEpochMilli(Long.parseLong(text));
                default ->
                    LocalDateTime.parse(text, formatter).atZone(times.zone()).toInstant();
            };
        } catch (RuntimeException e) {
            throw new IllegalArgumentException("line " + line.number() + ": '" + text + "' is no time", e);
        }
    }

    /** The values of one record, by the names of the header. */
    private record Line(List<String> header, String[] values, long number) {

        String value(String column) {
            if (column.startsWith("=")) {
                return column.substring(1);
            }
            int at = header.indexOf(column);
            if (at < 0) {
                throw new IllegalArgumentException("no column '" + column + "' among " + header);
            }
            return at < values.length ? values[at] : "";
        }
    }
}
