package io.flagtally.replay;

import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneId;
import java.util.Optional;

/**
 * What to send, and how.
 *
 * @param file a CSV file with a header line; {@code .gz} is unpacked
 * @param url the service, without a path
 * @param key the API key
 * @param source the SDK that the events say they come from
 * @param linesMax how many lines of the file are sent at most
 */
public record ReplayOptions(
        Path file, URI url, String key, String source, long linesMax, Columns columns, Times times, Pace pace) {

    /**
     * Which column says what. A name that begins with {@code =} is no column: its rest is the value of every line.
     *
     * @param goal a line with a value here makes a goal event too
     * @param value the value of the goal event
     */
    public record Columns(
            String user,
            Optional<String> flag,
            Optional<String> variation,
            String timestamp,
            Optional<String> goal,
            Optional<String> value) {}

    /**
     * How the times of the file become times of events.
     *
     * @param format {@code iso}, {@code epoch-seconds}, {@code epoch-millis}, or a pattern of DateTimeFormatter
     * @param zone of times that name none
     * @param until where the last event of the file is moved to; the same {@code until} gives the same events again
     * @param span how long the whole file becomes, under {@link Move#COMPRESS}
     */
    public record Times(String format, ZoneId zone, Move move, Instant until, Duration span) {}

    /** What happens to the times of the file. */
    public enum Move {
        /** They stay. */
        NONE,
        /** All move by the same duration, so that the last one becomes {@link Times#until()}. */
        SHIFT,
        /** They are mapped linearly, so that the first becomes {@code until - span} and the last {@code until}. */
        COMPRESS
    }

    /**
     * How fast.
     *
     * @param batch events a request
     * @param eventsPerSecond the chosen rate; 0 is the highest
     * @param concurrency requests in flight at most
     * @param giveUpAfter how long one request is sent again after 429, 503 and connection failures
     */
    public record Pace(int batch, double eventsPerSecond, int concurrency, Duration giveUpAfter) {}
}
