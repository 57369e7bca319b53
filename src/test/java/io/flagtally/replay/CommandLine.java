package io.flagtally.replay;

import io.flagtally.replay.ReplayOptions.Columns;
import io.flagtally.replay.ReplayOptions.Move;
import io.flagtally.replay.ReplayOptions.Pace;
import io.flagtally.replay.ReplayOptions.Times;
import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneId;
import java.time.temporal.ChronoUnit;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/** Reads {@link ReplayOptions} from {@code --name value} pairs. */
final class CommandLine {

    /**
     * What is to be done.
     *
     * @param importFile where to write the events instead of sending them
     */
    record Command(ReplayOptions options, Optional<Path> importFile) {}

    static final String USAGE = """
            --file FILE             a CSV file with a header line; .gz is unpacked (required)
            --write FILE            write a file for POST /v1/import instead of sending; .gz is packed
            --url URL               the service (http://localhost:8080)
            --key KEY               the API key (local)
            --source NAME           the SDK the events say they come from (GO_SERVER)
            --user COLUMN           the user (required)
            --flag COLUMN           the flag; with --variation, a line makes an evaluation event
            --variation COLUMN      the variation
            --goal COLUMN           the goal; a line with a value here makes a goal event
            --value COLUMN          the value of the goal event
            --timestamp COLUMN      the time (required)
            --timestamp-format F    iso, epoch-seconds, epoch-millis or a pattern (yyyy-MM-dd HH:mm:ss)
            --zone ZONE             the zone of times that name none (UTC)
            --move none|shift|compress   keep the times, shift the last to --until, or map all into --span before it (none)
            --until INSTANT         such as 2026-11-21T03:00:00Z (now); the same instant gives the same events again
            --span DURATION         such as PT695H (PT695H, an hour less than 29 days)
            --batch N               events a request (500)
            --rate N                events a second; 0 is as fast as the service takes them (0)
            --concurrency N         requests in flight at most (8)
            --give-up-after DURATION   how long one request is sent again (PT5M)
            --limit N               lines to send at most
            A COLUMN that begins with = is no column: its rest is the value of every line.
            """;

    /** The whole file lands on today and the 28 days before, whatever the zone and the hour. */
    private static final Duration STANDARD_SPAN = Duration.ofHours(29 * 24 - 1);

    private final Map<String, String> given = new HashMap<>();

    private CommandLine() {}

    /** @throws IllegalArgumentException with a sentence for the user */
    static Command parse(String[] args, Instant now) {
        CommandLine line = new CommandLine();
        for (int at = 0; at < args.length; at += 2) {
            if (!args[at].startsWith("--") || at + 1 == args.length) {
                throw new IllegalArgumentException("'" + args[at] + "' is no option with a value");
            }
            line.given.put(args[at].substring(2), args[at + 1]);
        }
        Command command = new Command(line.options(now), line.taken("write").map(Path::of));
        if (!line.given.isEmpty()) {
            throw new IllegalArgumentException(
                    "unknown option --" + line.given.keySet().iterator().next());
        }
        return command;
    }

    private ReplayOptions options(Instant now) {
        return new ReplayOptions(
                Path.of(required("file")),
                URI.create(taken("url").orElse("http://localhost:8080")),
                taken("key").orElse("local"),
                taken("source").orElse("GO_SERVER"),
                taken("limit").map(Long::parseLong).orElse(Long.MAX_VALUE),
                new Columns(
                        required("user"),
                        taken("flag"),
                        taken("variation"),
                        required("timestamp"),
                        taken("goal"),
                        taken("value")),
                new Times(
                        taken("timestamp-format").orElse("yyyy-MM-dd HH:mm:ss"),
                        ZoneId.of(taken("zone").orElse("UTC")),
                        Move.valueOf(taken("move").orElse("none").toUpperCase(Locale.ROOT)),
                        taken("until").map(Instant::parse).orElse(now.truncatedTo(ChronoUnit.SECONDS)),
                        taken("span").map(Duration::parse).orElse(STANDARD_SPAN)),
                new Pace(
                        taken("batch").map(Integer::parseInt).orElse(500),
                        taken("rate").map(Double::parseDouble).orElse(0.0),
                        taken("concurrency").map(Integer::parseInt).orElse(8),
                        taken("give-up-after").map(Duration::parse).orElse(Duration.ofMinutes(5))));
    }

    private Optional<String> taken(String name) {
        return Optional.ofNullable(given.remove(name));
    }

    private String required(String name) {
        return taken(name).orElseThrow(() -> new IllegalArgumentException("--" + name + " is required"));
    }
}
