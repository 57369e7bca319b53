package io.flagtally.brokers;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.flagtally.brokers.BrokerForTests.Raw;
import io.flagtally.proof.FaultProxy;
import io.flagtally.testing.ChildServer;
import io.flagtally.testing.PostgresServerForTests;
import io.flagtally.testing.RedisServerForTests;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.function.Consumer;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.jboss.logging.Logger;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.TestMethodOrder;

/**
 * What the service keeps on every broker, run unchanged on each. Every case ends in the same question: are the counts
 * equal to the distinct events that were sent?
 *
 * <p>The cases share the servers and, as far as they leave it alive, the service; each has a flag of its own. The first
 * one starts the service.
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
public abstract class BrokerContract {

    private static final Logger LOG = Logger.getLogger(BrokerContract.class);
    private static final Duration PATIENCE = Duration.ofSeconds(60);
    private static final Duration POLL = Duration.ofMillis(100);
    private static final Pattern LISTED = Pattern.compile("\"puts\"\\s*:");
    private static final Pattern ID = Pattern.compile("\"id\":\"([^\"]+)\"");

    /** Most messages that a service holds while its store is away; the rest waits in the broker. */
    private static final int MESSAGES_HELD_MAX = 1_100;

    private final List<SentEvents> sent = new ArrayList<>();
    private final Set<String> secondGroupRead = new HashSet<>();
    private BrokerForTests broker;
    private FaultProxy proxy;
    private PostgresServerForTests postgres;
    private RedisServerForTests counts;
    private BrokeredService service;
    private boolean brokerStopped;
    private boolean brokerSilent;

    /** The broker, not yet started. */
    protected abstract BrokerForTests newBroker();

    @BeforeAll
    void start() {
        broker = newBroker();
        LOG.infof("The contract of brokers against %s (profile %s)", broker.name(), broker.profile());
        proxy = FaultProxy.to(broker.port());
        broker.start(proxy.port());
        postgres = PostgresServerForTests.start();
        counts = RedisServerForTests.start();
        service = newService();
    }

    @AfterAll
    void end() throws Exception {
        for (AutoCloseable each : new AutoCloseable[] {service, proxy, broker, counts, postgres}) {
            if (each != null) {
                each.close();
            }
        }
    }

    /** Puts right what a case that failed may have left. */
    @BeforeEach
    void repair() {
        counts.resume();
        if (brokerSilent) {
            proxy.pass();
            brokerSilent = false;
        }
        if (brokerStopped) {
            restartBroker();
        }
    }

    @Test
    @Order(1)
    void start_brokerAway_isWaitedForAndTheProcessLives() {
        SentEvents events = events("away-at-start");
        stopBroker(BrokerForTests::stop);

        service.launch();
        await().atMost(PATIENCE).until(() -> service.status("/q/health/live") == 200);

        assertEquals(503, service.status("/q/health/ready"));
        assertFalse(service.takes(new SentEvents("nobody").request(1)), "nothing can be made safe");
        assertEquals(200, service.status("/q/health/live"));

        restartBroker();
        service.ready();
        await().atMost(PATIENCE).until(() -> service.takes(events.request(300)));
        assertCounted(events);
    }

    @Test
    @Order(2)
    void publish_sameMessageThreeTimes_countsOnce() {
        service.ready();
        SentEvents events = events("published-twice");
        Raw message = events.message(50);

        broker.publish(message, 3);

        assertCounted(events);
    }

    @Test
    @Order(3)
    void publish_poisonInAMessage_goesAsideAndTheRestCounts() {
        service.ready();
        SentEvents events = events("poison");
        String poison = "{\"id\":\"" + UUID.randomUUID() + "\",\"event\":{\"no\":\"event\"}}";
        String lines = events.lines(10) + "\n" + poison + "\n" + events.lines(10);

        broker.publish(SentEvents.message(lines, 21), 1);
        broker.publish(new Raw("no headers".getBytes(StandardCharsets.UTF_8), Map.of()), 1);
        broker.publish(events.message(20), 1);

        assertCounted(events);
        List<Raw> letters = new ArrayList<>();
        await().atMost(PATIENCE).pollInterval(POLL).until(() -> {
            letters.addAll(broker.read(BrokerForTests.DEAD_LETTERS, BrokerForTests.SECOND_GROUP));
            return different(letters).size() >= 2;
        });
        assertEquals(Set.of(poison, "no headers"), different(letters), "one event and one message went aside");
        for (Raw letter : letters) {
            assertFalse(
                    letter.headers().getOrDefault("flagtally-error-code", "").isEmpty(), letter::toString);
            assertFalse(
                    letter.headers().getOrDefault("flagtally-error-detail", "").isEmpty(), letter::toString);
        }
        String listed = service.get("/v1/dead_letters").body();
        assertTrue(
                listed.contains(
                        ID.matcher(poison).results().findFirst().orElseThrow().group(1)),
                listed);
        assertEquals(2, LISTED.matcher(listed).results().count(), "each is listed once: " + listed);
    }

    @Test
    @Order(4)
    void register_eventAboveTheLimit_isRefusedWithItsSizeAndTheLimit() {
        service.ready();
        SentEvents events = events("oversize");
        String large = new SentEvents("oversize").lines(1);
        large = large.replace("\"reason\":", "\"metadata\":{\"padding\":\"" + "x".repeat(70_000) + "\"},\"reason\":");
        String request = SentEvents.request(large + "\n" + events.lines(30));

        String answer = service.post("/register_events", request).body();

        assertTrue(answer.contains(String.valueOf(BrokeredService.MESSAGE_BYTES_MAX)), answer);
        Matcher size = Pattern.compile("the event has (\\d+) bytes").matcher(answer);
        assertTrue(size.find(), answer);
        // Its size as it travels, which is that of its JSON give or take some spaces.
        assertEquals(large.length(), Integer.parseInt(size.group(1)), 100, answer);
        assertTrue(answer.contains("\"retriable\":false"), answer);
        assertCounted(events);
    }

    @Test
    @Order(5)
    void connection_cutAndRefused_isMadeAgain() throws Exception {
        service.ready();
        SentEvents events = events("cut");

        try (Sending sending = new Sending(events, 120, 20, 20, service)) {
            for (int cut = 1; cut <= 3; cut++) {
                sending.await(cut * 20);
                proxy.cut();
            }
            sending.await(80);
            proxy.refuse();
            Thread.sleep(1_000);
            proxy.pass();
            sending.end();
        }

        assertCounted(events);
    }

    @Test
    @Order(6)
    void broker_killedAndRestarted_losesNothingAcknowledged() throws Exception {
        service.ready();
        SentEvents events = events("broker-restart");

        try (Sending sending = new Sending(events, 100, 20, 20, service)) {
            sending.await(30);
            stopBroker(BrokerForTests::kill);
            Thread.sleep(500);
            restartBroker();
            sending.end();
        }

        assertCounted(events);
    }

    @Test
    @Order(7)
    void store_stopped_backlogStaysInTheBroker() {
        service.ready();
        SentEvents events = events("store-stopped");
        long before = broker.backlog();
        int messages = 2 * MESSAGES_HELD_MAX;

        counts.pause();
        for (int i = 0; i < messages / 20; i++) {
            broker.publish(events.message(10), 20);
        }
        await().atMost(PATIENCE)
                .until(() -> service.metric("flagtally_pipeline_in_flight") >= BrokeredService.BATCH_EVENTS_MAX);
        await().atMost(PATIENCE).until(() -> broker.backlog() >= before + messages);
        double held = service.metric("flagtally_broker_in_flight");
        double eventsHeld = service.metric("flagtally_pipeline_in_flight");
        int live = service.status("/q/health/live");
        counts.resume();

        assertTrue(held <= MESSAGES_HELD_MAX, "messages held: " + held);
        assertTrue(eventsHeld <= 3 * BrokeredService.BATCH_EVENTS_MAX + 5, "events held: " + eventsHeld);
        assertEquals(200, live);
        assertCounted(events);
    }

    @Test
    @Order(8)
    void kill_betweenWriteAndAcknowledgement_redeliversAndCountsOnce() {
        service.ready();
        SentEvents events = events("killed-unacknowledged");
        counts.pause();
        for (int i = 0; i < 10; i++) {
            broker.publish(events.message(20), 1);
        }
        await().atMost(PATIENCE).until(() -> service.metric("flagtally_pipeline_in_flight") >= 200);

        brokerSilent = true;
        proxy.fallSilent();
        counts.resume();
        // A broker may have delivered one of them twice, which makes up for one that did not arrive.
        await().atMost(PATIENCE).pollInterval(POLL).until(() -> service.counted(events.flag()) >= 100);
        long written = service.counted(events.flag()) / 20;
        assertEquals(10, broker.backlog(), "written, and not acknowledged");
        service.kill();
        proxy.pass();
        service.ready();

        assertCounted(events);
        if (broker.tellsRedelivery()) {
            await().atMost(PATIENCE).until(() -> service.metric("flagtally_broker_redeliveries") >= written);
        }
    }

    @Test
    @Order(9)
    void twoConsumers_oneDies_theOtherTakesOver() throws Exception {
        service.ready();
        SentEvents events = events("two-consumers");
        BrokeredService other = newService("flagtally.broker.key=user");
        try (other) {
            other.ready();
            double written = service.metric("flagtally_pipeline_flush_seconds_count");

            try (Sending sending = new Sending(events, 20_000, 20, 10, service)) {
                // Until both share the load: a broker may take seconds to give the second one its part.
                await().atMost(PATIENCE)
                        .pollInterval(POLL)
                        .until(() -> sending.isOver()
                                || (other.metric("flagtally_pipeline_flush_seconds_count") > 0
                                        && service.metric("flagtally_pipeline_flush_seconds_count") > written));
                assertTrue(other.metric("flagtally_pipeline_flush_seconds_count") > 0, "the second one got nothing");
                assertTrue(service.metric("flagtally_pipeline_flush_seconds_count") > written, "the first got nothing");
                other.kill();
                sending.await(sending.acknowledged() + 50);
                sending.enough();
                sending.end();
            }
        }

        assertCounted(events);
    }

    @Test
    @Order(10)
    void stop_inMidBatch_drains() throws Exception {
        service.ready();
        SentEvents events = events("drained");
        String log;
        try (Sending sending = new Sending(events, 120, 20, 5, service)) {
            sending.await(60);
            log = service.stop();
            service.ready();
            sending.end();
        }

        assertFalse(log.contains("events not written"), log);
        assertCounted(events);
    }

    @Test
    @Order(11)
    void key_ofAUser_keepsTheOrder() {
        if (!broker.keepsOrderOfAKey()) {
            return;
        }
        List<Raw> earlier = broker.read(BrokerForTests.EVENTS, BrokerForTests.SECOND_GROUP);
        SentEvents events = events("ordered");
        String unused = service.stop();
        service = newService("flagtally.broker.key=user", "flagtally.broker.ordered=true");
        service.ready();
        for (int i = 0; i < 40; i++) {
            assertTrue(service.takes(events.request(10)));
        }
        assertCounted(events);
        List<Raw> messages = broker.read(BrokerForTests.EVENTS, BrokerForTests.SECOND_GROUP);
        keep(earlier);
        keep(messages);
        assertOrdered(events, messages);
    }

    @Test
    @Order(12)
    void secondGroup_getsEveryMessageToo() {
        Set<String> wanted = new HashSet<>();
        sent.forEach(events -> wanted.addAll(events.ids()));
        await().atMost(PATIENCE).pollInterval(POLL).until(() -> {
            keep(broker.read(BrokerForTests.EVENTS, BrokerForTests.SECOND_GROUP));
            return secondGroupRead.containsAll(wanted);
        });
        assertEquals(0, broker.backlog(), "what the second group did not take from the first");
    }

    private BrokeredService newService(String... settings) {
        return new BrokeredService(broker, proxy.port(), postgres, counts, settings)
                .on("-Xmx256m", ChildServer.STARTS_QUICKLY);
    }

    private void stopBroker(Consumer<BrokerForTests> way) {
        brokerStopped = true;
        way.accept(broker);
    }

    private void restartBroker() {
        broker.restart();
        brokerStopped = false;
    }

    private void keep(List<Raw> messages) {
        messages.forEach(message -> secondGroupRead.addAll(ids(message)));
    }

    private SentEvents events(String flag) {
        SentEvents events = new SentEvents(flag + "-" + broker.profile());
        sent.add(events);
        return events;
    }

    /** Are the counts equal to the distinct events that were sent? Also after the broker has delivered everything. */
    private void assertCounted(SentEvents events) {
        long distinct = events.ids().size();
        service.ready();
        awaitCounted(events.flag(), distinct);
        await(events.flag() + " leaves nothing in the broker")
                .atMost(PATIENCE)
                .pollInterval(POLL)
                .until(() -> broker.backlog() == 0);
        assertEquals(distinct, service.counted(events.flag()), events.flag());
    }

    private void awaitCounted(String flag, long distinct) {
        await().atMost(PATIENCE)
                .pollInterval(POLL)
                .untilAsserted(() -> assertEquals(distinct, service.counted(flag), service::lastSeries));
    }

    /** Events of a user lie in the broker in the order in which they were sent, one message after the other. */
    private static void assertOrdered(SentEvents events, List<Raw> messages) {
        OrderOfUsers order = new OrderOfUsers(events.ids(), SentEvents.USERS);
        messages.forEach(message -> ids(message).forEach(order::next));
        order.end();
    }

    /** What lies there, repeats left out: a sender that was not answered sends again. */
    private static Set<String> different(List<Raw> messages) {
        return messages.stream()
                .map(message -> new String(message.payload(), StandardCharsets.UTF_8))
                .collect(Collectors.toSet());
    }

    private static List<String> ids(Raw message) {
        return ID.matcher(new String(message.payload(), StandardCharsets.UTF_8))
                .results()
                .map(found -> found.group(1))
                .toList();
    }
}
