package io.flagtally.brokers;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/** Clients that send requests in the background, each until it is answered with 200, as SDKs do. */
final class Sending implements AutoCloseable {

    private static final int CLIENTS = 4;
    private static final Duration PATIENCE = Duration.ofSeconds(60);
    private static final long PAUSE_AFTER_FAILURE_MILLIS = 50;

    private final ExecutorService clients = Executors.newFixedThreadPool(CLIENTS);
    private final List<Future<?>> running = new ArrayList<>();
    private final AtomicInteger toSend;
    private final AtomicInteger acknowledged = new AtomicInteger();

    /**
     * @param pauseMillis how long a client rests after a request
     * @param doors the services that are sent to, in turns
     */
    Sending(SentEvents events, int requests, int eventsARequest, long pauseMillis, BrokeredService... doors) {
        toSend = new AtomicInteger(requests);
        for (int i = 0; i < CLIENTS; i++) {
            int first = i;
            running.add(clients.submit(() -> {
                for (int turn = first; toSend.getAndDecrement() > 0; turn++) {
                    String request = events.request(eventsARequest);
                    while (!doors[turn % doors.length].takes(request)) {
                        Thread.sleep(PAUSE_AFTER_FAILURE_MILLIS);
                        turn++;
                    }
                    acknowledged.incrementAndGet();
                    Thread.sleep(pauseMillis);
                }
                return null;
            }));
        }
    }

    /** Waits until this many requests were answered with 200; fails if for a while none is. */
    void await(int requests) throws InterruptedException {
        int before = -1;
        long end = 0;
        while (acknowledged.get() < requests && !isOver()) {
            if (acknowledged.get() > before) {
                before = acknowledged.get();
                end = System.nanoTime() + PATIENCE.toNanos();
            }
            if (System.nanoTime() > end) {
                throw new AssertionError("only " + acknowledged + " of " + requests + " requests were acknowledged");
            }
            Thread.sleep(10);
        }
    }

    /** Begins no further request. */
    void enough() {
        toSend.set(0);
    }

    boolean isOver() {
        return running.stream().allMatch(Future::isDone);
    }

    int acknowledged() {
        return acknowledged.get();
    }

    /** Waits until every request was answered with 200. */
    void end() throws Exception {
        await(Integer.MAX_VALUE);
        for (Future<?> client : running) {
            Object unused = client.get(2, TimeUnit.MINUTES);
        }
    }

    @Override
    public void close() {
        clients.shutdownNow();
    }
}
