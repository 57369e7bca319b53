package io.flagtally.replay;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.flagtally.replay.ReplayOptions.Pace;
import io.flagtally.replay.Shipment.Attempt;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.http.HttpClient;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Semaphore;
import java.util.concurrent.locks.LockSupport;

/**
 * Sends the events of a CSV file to a service, each with an id of its own that a second run repeats.
 *
 * <p>With a chosen rate the loop is open: requests have intended times, and latency counts from those, so that a slow
 * service cannot hide its slowness by slowing the load down. Without one, latency counts from the sending.
 */
public final class Replay {

    private static final Set<Integer> HOPELESS = Set.of(401, 403, 404);
    private static final ObjectMapper JSON = new ObjectMapper();

    /** Watches a replay; called from several threads. */
    public interface Listener {

        /** A request was answered with {@code status}, or not at all (0). */
        default void attempted(int status, Duration took, boolean saysRetryAfter) {}

        /** The service took these events. */
        default void acknowledged(List<ReplayEvent> events) {}

        /** {@code done} events of {@code lines} lines have their answer. */
        default void progressed(long done, long lines) {}
    }

    private final ReplayOptions options;
    private final Listener listener;
    private final ReplayReport report = new ReplayReport();
    private final Semaphore inFlight;
    private final HttpClient client = HttpClient.newBuilder()
            .version(HttpClient.Version.HTTP_1_1)
            .connectTimeout(Duration.ofSeconds(5))
            .build();
    private volatile boolean stopped;

    public Replay(ReplayOptions options, Listener listener) {
        this.options = options;
        this.listener = listener;
        this.inFlight = new Semaphore(options.pace().concurrency());
    }

    /** Sends no more requests and repeats none; those in flight are still waited for. */
    public void stop() {
        stopped = true;
    }

    /** Sends everything and returns when every request has its last answer. */
    public ReplayReport run() throws IOException, InterruptedException {
        CsvEvents csv = new CsvEvents(options);
        CsvEvents.Extent extent = csv.extent();
        report.begin();
        Batches batches = new Batches(extent.lines());
        csv.forEach(extent, event -> {
            batches.add(event);
            return !stopped;
        });
        batches.flush();
        inFlight.acquire(options.pace().concurrency());
        report.end();
        return report;
    }

    /** Cuts the stream into requests and holds each back until its time and a free place. */
    private final class Batches {

        private final long lines;
        private final long started = System.nanoTime();
        private List<ReplayEvent> open = new ArrayList<>();
        private long before;

        Batches(long lines) {
            this.lines = lines;
        }

        void add(ReplayEvent event) {
            open.add(event);
            if (open.size() >= options.pace().batch()) {
                flush();
            }
        }

        void flush() {
            if (open.isEmpty() || stopped) {
                return;
            }
            List<ReplayEvent> batch = open;
            open = new ArrayList<>(batch.size());
            long intended = awaitTurn(options.pace());
            before += batch.size();
            inFlight.acquireUninterruptibly();
            if (stopped) {
                inFlight.release();
                return;
            }
            ship(batch, intended == 0 ? System.nanoTime() : intended, lines);
        }

        /** Returns when this request was meant to go, or 0 if there is no chosen rate. */
        private long awaitTurn(Pace pace) {
            if (pace.eventsPerSecond() <= 0) {
                return 0;
            }
            long intended = started + (long) (before / pace.eventsPerSecond() * 1e9);
            while (System.nanoTime() < intended && !stopped) {
                LockSupport.parkNanos(intended - System.nanoTime());
            }
            return intended;
        }
    }

    private void ship(List<ReplayEvent> batch, long intendedNanos, long lines) {
        byte[] body = RequestBody.of(batch, options.source());
        new Shipment(client, options, body, () -> stopped, this::attempted)
                .send()
                .thenAccept(last -> finished(batch, last, intendedNanos))
                .exceptionally(failure -> {
                    report.unanswered(batch.size(), String.valueOf(failure));
                    return null;
                })
                .thenRun(() -> listener.progressed(report.done(), lines))
                .thenRun(inFlight::release)
                .exceptionally(failure -> {
                    inFlight.release();
                    return null;
                });
    }

    private void attempted(Attempt attempt) {
        report.attempted(attempt.status());
        listener.attempted(
                attempt.status(), attempt.took(), attempt.retryAfter().isPresent());
    }

    private void finished(List<ReplayEvent> batch, Attempt last, long intendedNanos) {
        if (last.status() != 200) {
            report.unanswered(batch.size(), last.status() == 0 ? last.problem() : last.status() + " " + last.body());
            if (HOPELESS.contains(last.status())) {
                stop();
            }
            return;
        }
        JsonNode errors = errors(last.body());
        List<ReplayEvent> accepted = new ArrayList<>(batch.size());
        for (ReplayEvent event : batch) {
            JsonNode error = errors.get(event.id().toString());
            if (error == null) {
                accepted.add(event);
            } else {
                report.refused(error.path("message").asText());
            }
        }
        report.accepted(accepted.size(), System.nanoTime() - intendedNanos);
        listener.acknowledged(accepted);
    }

    private static JsonNode errors(String body) {
        try {
            return JSON.readTree(body).path("errors");
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
