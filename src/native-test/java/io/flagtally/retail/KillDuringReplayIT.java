package io.flagtally.retail;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.flagtally.packaged.ServiceProcess;
import io.flagtally.replay.Replay;
import io.flagtally.replay.ReplayEvent;
import io.flagtally.replay.ReplayOptions.Pace;
import io.flagtally.replay.ReplayReport;
import io.flagtally.testing.TestData;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** The service is killed in the middle of a replay, starts again, and is sent the same again. */
class KillDuringReplayIT {

    private static final long LINES = 200_000;
    private static final long ACKNOWLEDGED_BEFORE_THE_KILL = 60_000;
    private static final Pace PACE = new Pace(500, 0, 4, Duration.ofMinutes(2));

    /** Keeps what the service acknowledged, and calls when that was enough. */
    private static final class Acknowledged implements Replay.Listener {
        private final RetailCounts counts = RetailCounts.empty();
        private final CountDownLatch enough = new CountDownLatch(1);
        private final long killAfter;

        Acknowledged(long killAfter) {
            this.killAfter = killAfter;
        }

        @Override
        public synchronized void acknowledged(List<ReplayEvent> events) {
            events.forEach(counts::add);
            if (counts.events() >= killAfter) {
                enough.countDown();
            }
        }
    }

    @Test
    void kill_duringAReplay_losesNothingAcknowledgedAndDoublesNothing() throws Exception {
        Instant until = Instant.now().truncatedTo(ChronoUnit.SECONDS);
        RetailFile file = RetailFile.find();
        long lines = file.isReal() ? LINES : Long.MAX_VALUE;
        long enough = file.isReal() ? ACKNOWLEDGED_BEFORE_THE_KILL : ACKNOWLEDGED_BEFORE_THE_KILL / 4;
        RetailCounts expected = RetailCounts.of(file, lines, until, Replays.SPAN);
        Path home = TestData.newDirectory("retail-kill");
        try (ServiceProcess killed = start(home)) {
            RetailCounts acknowledged = killedReplay(killed, file, until, lines, enough);
            try (ServiceProcess service = start(home)) {
                EventCounter counter = new EventCounter(service.uri(""));
                assertNothingMissing(acknowledged, counter);

                ReplayReport again = new Replay(
                                Replays.options(file.path(), service.uri(""), until, lines, PACE),
                                new Replay.Listener() {})
                        .run();

                assertEquals(expected.events(), again.accepted());
                Replays.assertEventsEqual(expected, counter);
            }
        }
    }

    private static ServiceProcess start(Path home) {
        return ServiceProcess.in(home).with("-Xmx256m").ready();
    }

    private static RetailCounts killedReplay(
            ServiceProcess service, RetailFile file, Instant until, long lines, long enough) throws Exception {
        Acknowledged acknowledged = new Acknowledged(enough);
        Replay replay = new Replay(Replays.options(file.path(), service.uri(""), until, lines, PACE), acknowledged);
        CompletableFuture<ReplayReport> run = CompletableFuture.supplyAsync(() -> {
            try {
                return replay.run();
            } catch (Exception e) {
                throw new IllegalStateException(e);
            }
        });
        assertTrue(acknowledged.enough.await(2, TimeUnit.MINUTES), "nothing was acknowledged");
        service.kill();
        replay.stop();
        ReplayReport interrupted = run.get(2, TimeUnit.MINUTES);
        assertTrue(interrupted.unansweredTotal() > 0, "the kill came when everything was sent");
        return acknowledged.counts;
    }

    private static void assertNothingMissing(RetailCounts acknowledged, EventCounter counter) throws Exception {
        for (var flag : acknowledged.flags().entrySet()) {
            Map<String, EventCounter.Values> counted =
                    counter.thirtyDays(flag.getKey()).events();
            flag.getValue().forEach((variation, cell) -> {
                long total =
                        counted.containsKey(variation) ? counted.get(variation).total() : 0;
                assertTrue(
                        total >= cell.events,
                        () -> flag.getKey() + "/" + variation + " has " + total + " of " + cell.events);
            });
        }
    }
}
