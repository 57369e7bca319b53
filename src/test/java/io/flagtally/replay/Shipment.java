package io.flagtally.replay;

import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ForkJoinPool;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;

/**
 * One request on its way: the same bytes are sent again after 429, 503 and connection failures, until another answer
 * comes or the time is up.
 */
final class Shipment {

    private static final Duration REQUEST_MAX = Duration.ofSeconds(30);
    private static final Duration PAUSE_MIN = Duration.ofMillis(200);
    private static final Duration PAUSE_MAX = Duration.ofSeconds(5);

    /**
     * One try.
     *
     * @param status the HTTP status, 0 if no answer came
     * @param retryAfter the header of that name
     * @param problem what went wrong if no answer came
     */
    record Attempt(int status, Duration took, Optional<String> retryAfter, String body, String problem) {

        boolean mayBeRepeated() {
            return status == 0 || status == 429 || status == 503;
        }
    }

    private final HttpClient client;
    private final HttpRequest request;
    private final long deadlineNanos;
    private final BooleanSupplier stopped;
    private final Consumer<Attempt> observer;
    private final CompletableFuture<Attempt> outcome = new CompletableFuture<>();

    Shipment(
            HttpClient client,
            ReplayOptions options,
            byte[] body,
            BooleanSupplier stopped,
            Consumer<Attempt> observer) {
        this.client = client;
        this.request = HttpRequest.newBuilder(URI.create(options.url() + "/register_events"))
                .header("authorization", options.key())
                .header("content-type", "application/json")
                .timeout(REQUEST_MAX)
                .POST(BodyPublishers.ofByteArray(body))
                .build();
        this.deadlineNanos = System.nanoTime() + options.pace().giveUpAfter().toNanos();
        this.stopped = stopped;
        this.observer = observer;
    }

    /** Sends; completes with the last attempt, never exceptionally. */
    CompletableFuture<Attempt> send() {
        attempt(PAUSE_MIN);
        return outcome;
    }

    private void attempt(Duration pause) {
        long started = System.nanoTime();
        client.sendAsync(request, BodyHandlers.ofString())
                .handle((response, failure) -> attempt(started, response, failure))
                .thenAccept(attempt -> judge(attempt, pause))
                .exceptionally(failure -> {
                    outcome.completeExceptionally(failure);
                    return null;
                });
    }

    private static Attempt attempt(long started, HttpResponse<String> response, Throwable failure) {
        Duration took = Duration.ofNanos(System.nanoTime() - started);
        if (response == null) {
            return new Attempt(0, took, Optional.empty(), "", reason(failure));
        }
        return new Attempt(
                response.statusCode(), took, response.headers().firstValue("retry-after"), response.body(), "");
    }

    private static String reason(Throwable failure) {
        Throwable cause =
                failure instanceof CompletionException && failure.getCause() != null ? failure.getCause() : failure;
        return "no answer: " + cause;
    }

    private void judge(Attempt attempt, Duration pause) {
        observer.accept(attempt);
        Duration wait = attempt.retryAfter().map(Shipment::seconds).orElse(pause);
        boolean over = stopped.getAsBoolean() || System.nanoTime() + wait.toNanos() > deadlineNanos;
        if (!attempt.mayBeRepeated() || over) {
            outcome.complete(attempt);
            return;
        }
        Duration next = pause.multipliedBy(2).compareTo(PAUSE_MAX) > 0 ? PAUSE_MAX : pause.multipliedBy(2);
        CompletableFuture.delayedExecutor(wait.toMillis(), TimeUnit.MILLISECONDS, ForkJoinPool.commonPool())
                .execute(() -> attempt(next));
    }

    private static Duration seconds(String retryAfter) {
        try {
            return Duration.ofSeconds(Long.parseLong(retryAfter.trim()));
        } catch (NumberFormatException e) {
            return PAUSE_MAX;
        }
    }
}
