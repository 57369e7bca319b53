package io.flagtally.replay;

import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.zip.GZIPOutputStream;

/** Writes the events of a CSV file as a file for {@code POST /v1/import}: the events, and the ids, that a replay sends. */
final class ImportFile {

    private ImportFile() {}

    /**
     * Writes to {@code target}, packed if its name ends with {@code .gz}.
     *
     * @return how many events were written
     */
    static long write(ReplayOptions options, Path target) throws IOException {
        CsvEvents csv = new CsvEvents(options);
        long[] events = {0};
        try (OutputStream out = open(target)) {
            csv.forEach(csv.extent(), event -> {
                out.write(RequestBody.line(event, options.source()));
                out.write('\n');
                events[0]++;
                return true;
            });
        }
        return events[0];
    }

    private static OutputStream open(Path target) throws IOException {
        OutputStream out = new BufferedOutputStream(Files.newOutputStream(target), 1 << 16);
        return target.toString().endsWith(".gz") ? new GZIPOutputStream(out, 1 << 16) : out;
    }
}
