package io.flagtally.brokers;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.flagtally.testing.PostgresServerForTests;
import io.flagtally.testing.RedisServerForTests;
import java.time.Duration;
import org.jboss.logging.Logger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * Many events of 2 KB go through a broker while the service is killed and started again three times on the way; once with
 * one instance, once with two. Clients repeat what was not answered, and the counts equal the distinct events.
 * {@code -Dflagtally.kill.events=200000 -Dflagtally.kill.times=5} sends more of them, with more trouble.
 */
@Tag("installed-servers")
public abstract class BrokerKillContract {

    private static final Logger LOG = Logger.getLogger(BrokerKillContract.class);
    private static final int EVENTS = Integer.getInteger("flagtally.kill.events", 20_000);
    private static final int EVENT_BYTES = 2_048;
    private static final int EVENTS_A_REQUEST = 25;
    private static final int TROUBLES = Integer.getInteger("flagtally.kill.times", 3);
    private static final Duration PATIENCE = Duration.ofMinutes(5);

    private BrokerForTests broker;
    private PostgresServerForTests postgres;
    private RedisServerForTests counts;

    /** The broker, not yet started. */
    protected abstract BrokerForTests newBroker();

    @BeforeEach
    void start() {
        broker = newBroker();
        broker.start(broker.port());
        postgres = PostgresServerForTests.start();
        counts = RedisServerForTests.start();
        LOG.infof("%,d events of %d bytes through %s", EVENTS, EVENT_BYTES, broker.name());
    }

    @AfterEach
    void end() throws Exception {
        for (AutoCloseable each : new AutoCloseable[] {broker, counts, postgres}) {
            if (each != null) {
                each.close();
            }
        }
    }

    @Test
    void kill_againAndAgain_countsEachEventOnce() throws Exception {
        try (BrokeredService service = service()) {
            service.ready();
            sendWithKills(service, service);
        }
    }

    @Test
    void kill_oneOfTwoInstancesInTurns_countsEachEventOnce() throws Exception {
        try (BrokeredService one = service();
                BrokeredService other = service()) {
            one.ready();
            other.ready();
            sendWithKills(one, other);
        }
    }

    /** What goes wrong while events are sent. */
    protected interface Trouble {

        /** @param time 1 for the first time */
        void make(int time) throws InterruptedException;
    }

    /** Sends all events to a service, with trouble on the way, and asks whether each is counted once. */
    protected void sendWith(Trouble trouble) throws Exception {
        try (BrokeredService service = service()) {
            service.ready();
            send(trouble, service, service);
        }
    }

    private void sendWithKills(BrokeredService one, BrokeredService other) throws Exception {
        send(
                time -> {
                    BrokeredService killed = time % 2 == 0 ? other : one;
                    killed.kill();
                    BrokeredService unused = killed.ready();
                },
                one,
                other);
    }

    private void send(Trouble trouble, BrokeredService one, BrokeredService other) throws Exception {
        SentEvents events = new SentEvents("killed", EVENT_BYTES);
        int requests = EVENTS / EVENTS_A_REQUEST;
        long start = System.nanoTime();
        try (Sending sending = new Sending(events, requests, EVENTS_A_REQUEST, 0, one, other)) {
            for (int time = 1; time <= TROUBLES; time++) {
                sending.await(requests * time / (TROUBLES + 1));
                trouble.make(time);
            }
            sending.end();
        }
        await().atMost(PATIENCE)
                .pollInterval(Duration.ofMillis(500))
                .untilAsserted(() -> assertEquals(0, broker.backlog()));
        await().atMost(PATIENCE)
                .untilAsserted(() -> assertEquals(events.ids().size(), one.counted(events.flag()), one::lastSeries));
        LOG.infof(
                "%,d events through %s with %d troubles: counted once each after %d s",
                events.ids().size(), broker.name(), TROUBLES, (System.nanoTime() - start) / 1_000_000_000L);
    }

    private BrokeredService service() {
        return new BrokeredService(broker, broker.port(), postgres, counts, "flagtally.pipeline.batch.size-max=10000")
                .on("-Xmx256m");
    }
}
