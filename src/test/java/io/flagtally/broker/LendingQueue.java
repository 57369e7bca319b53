package io.flagtally.broker;

import io.smallrye.mutiny.Uni;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/**
 * A queue in memory that lends by stepped time and takes its word back: a lease that is not kept ends, and the message
 * goes to whoever asks next. It may be away, and may refuse to extend.
 */
final class LendingQueue implements LeasedQueue {

    static final Duration LEASE = Duration.ofSeconds(30);
    static final int BATCH_MAX = 10;

    private final SteppedTimers time;
    private final Deque<String> waiting = new ArrayDeque<>();
    private final Map<String, Duration> lent = new TreeMap<>();
    private final Map<String, Integer> deliveries = new HashMap<>();
    final List<String> log = new ArrayList<>();
    boolean away;
    boolean extending = true;
    boolean forgets = true;
    boolean closed;
    CompletableFuture<Void> told = CompletableFuture.completedFuture(null);

    LendingQueue(SteppedTimers time) {
        this.time = time;
    }

    void add(String... bodies) {
        waiting.addAll(List.of(bodies));
    }

    int deliveries(String body) {
        return deliveries.getOrDefault(body, 0);
    }

    int lent() {
        return lent.size();
    }

    int waiting() {
        return waiting.size();
    }

    @Override
    public String name() {
        return "the queue in memory";
    }

    @Override
    public int batchMax() {
        return BATCH_MAX;
    }

    @Override
    public Duration lease() {
        return LEASE;
    }

    /** Waits a second for messages, as long polling does. */
    @Override
    public Uni<List<LeasedMessage>> receive(int countMax) {
        return Uni.createFrom()
                .emitter(emitter -> time.after(Duration.ofSeconds(1), () -> {
                    if (away || closed) {
                        emitter.fail(new IllegalStateException("connection refused"));
                        return;
                    }
                    takeBack();
                    List<LeasedMessage> messages = new ArrayList<>();
                    while (!waiting.isEmpty() && messages.size() < countMax) {
                        String body = waiting.remove();
                        int delivery = deliveries.merge(body, 1, Integer::sum);
                        lent.put(body, time.now().plus(LEASE));
                        messages.add(new LeasedMessage(
                                body, body.getBytes(StandardCharsets.UTF_8), Map.of("from", "test"), delivery > 1));
                    }
                    emitter.complete(messages);
                }));
    }

    @Override
    public Uni<Void> acknowledge(List<String> leases) {
        log.add("acknowledge " + leases.size());
        if (!forgets) {
            return Uni.createFrom().failure(new IllegalStateException("reply lost"));
        }
        leases.forEach(lent::remove);
        return Uni.createFrom().voidItem();
    }

    @Override
    public Uni<Void> extend(List<String> leases) {
        if (leases.size() > BATCH_MAX) {
            return Uni.createFrom().failure(new IllegalArgumentException("too many"));
        }
        if (extending) {
            leases.forEach(lease ->
                    lent.computeIfPresent(lease, (body, until) -> time.now().plus(LEASE)));
        }
        return Uni.createFrom().voidItem();
    }

    @Override
    public Uni<Void> giveBack(List<String> leases) {
        log.add("give back " + leases.size());
        leases.stream().filter(lease -> lent.remove(lease) != null).forEach(waiting::addFirst);
        return Uni.createFrom().voidItem();
    }

    @Override
    public String explain(Throwable failure) {
        return String.valueOf(failure.getMessage());
    }

    @Override
    public CompletionStage<Void> close() {
        closed = true;
        log.add("close");
        return told;
    }

    private void takeBack() {
        List<String> over = lent.entrySet().stream()
                .filter(entry -> entry.getValue().compareTo(time.now()) < 0)
                .map(Map.Entry::getKey)
                .toList();
        over.forEach(lent::remove);
        over.forEach(waiting::addFirst);
    }
}
