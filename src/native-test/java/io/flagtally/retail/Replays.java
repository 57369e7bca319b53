package io.flagtally.retail;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.flagtally.replay.ReplayMain;
import io.flagtally.replay.ReplayOptions;
import io.flagtally.replay.ReplayOptions.Columns;
import io.flagtally.replay.ReplayOptions.Move;
import io.flagtally.replay.ReplayOptions.Pace;
import io.flagtally.replay.ReplayOptions.Times;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/** How the retail file is replayed in these tests, and how its counts are compared. */
final class Replays {

    /** Days fewer than the last 30, so that a test that runs over midnight still sees every one of them. */
    static final Duration SPAN = Duration.ofDays(27);

    private Replays() {}

    static ReplayOptions options(Path file, URI service, Instant until, long linesMax, Pace pace) {
        return options(file, "GO_SERVER", service, until, linesMax, pace);
    }

    /** @param source the SDK the events say they come from */
    static ReplayOptions options(Path file, String source, URI service, Instant until, long linesMax, Pace pace) {
        return new ReplayOptions(
                file,
                service,
                "local",
                source,
                linesMax,
                new Columns(
                        "CustomerID",
                        Optional.of("StockCode"),
                        Optional.of("Country"),
                        "InvoiceDate",
                        Optional.empty(),
                        Optional.empty()),
                new Times("yyyy-MM-dd HH:mm:ss", ZoneOffset.UTC, Move.COMPRESS, until, SPAN),
                pace);
    }

    /** Writes {@code file} to {@code lines} as events for an import, with the dates they have. */
    static void writeLines(RetailFile file, Path lines) throws Exception {
        ReplayMain.main(new String[] {
            "--file",
            file.path().toString(),
            "--write",
            lines.toString(),
            "--user",
            "CustomerID",
            "--flag",
            "StockCode",
            "--variation",
            "Country",
            "--timestamp",
            "InvoiceDate",
            "--source",
            "WEB"
        });
    }

    /** Asserts that a service counted exactly the events of {@code expected}, in total and on each day. */
    static void assertEventsEqual(RetailCounts expected, EventCounter counter)
            throws IOException, InterruptedException {
        for (var flag : expected.flags().entrySet()) {
            Map<String, EventCounter.Values> wanted = new TreeMap<>();
            wanted.put("default", new EventCounter.Values(0, Map.of()));
            flag.getValue()
                    .forEach((variation, cell) ->
                            wanted.put(variation, new EventCounter.Values(cell.events, cell.eventsByDay)));
            assertEquals(wanted, counter.thirtyDays(flag.getKey()).events(), "flag " + flag.getKey());
        }
    }

    /** Sums what a service counted of the flags of {@code expected}. */
    static long total(RetailCounts expected, EventCounter counter) throws IOException, InterruptedException {
        long total = 0;
        for (String flag : expected.flags().keySet()) {
            for (EventCounter.Values values : counter.thirtyDays(flag).events().values()) {
                total += values.total();
            }
        }
        return total;
    }
}
