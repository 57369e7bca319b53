package io.flagtally.brokers;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.flagtally.brokers.BrokerForTests.Raw;
import io.flagtally.proof.FaultProxy;
import io.flagtally.testing.PostgresServerForTests;
import io.flagtally.testing.RedisServerForTests;
import io.restassured.path.json.JsonPath;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.function.Consumer;
import java.util.function.Predicate;
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
    static final Duration PATIENCE = Duration.ofSeconds(60);
    private static final Duration POLL = Duration.ofMillis(100);
    private static final Pattern LISTED = Pattern.compile("\"puts\"\\s*:");
    private static final Pattern ID = Pattern.compile("\"id\":\"([^\"]+)\"");

    private static final int EVENTS_A_MESSAGE = 10;

    /** What the pipeline takes while nothing is written: two batches under way, one that gathers, a message too many. */
    private static final int EVENTS_IN_PIPELINE_MAX = 3 * BrokeredService.BATCH_EVENTS_MAX + EVENTS_A_MESSAGE;

    private static final int MESSAGES_IN_PIPELINE_MAX = EVENTS_IN_PIPELINE_MAX / EVENTS_A_MESSAGE;

    /** How long a consumer is watched that shall take no more. */
    private static final Duration WATCHED = Duration.ofMillis(1_500);

    /** One that cannot be read, and two that are to be seen in the letter. */
    private static final Map<String, String> SPOILT_HEADERS = Map.of(
            "flagtally-accepted-at",
            "yesterday",
            "traceparent",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "tenant",
            "acme");

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
    @Order(10)
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
    @Order(20)
    void publish_sameMessageThreeTimes_countsOnce() {
        service.ready();
        SentEvents events = events("published-twice");
        Raw message = events.message(50);

        broker.publish(message, 3);

        assertCounted(events);
    }

    @Test
    @Order(30)
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
    @Order(31)
    void deadLetter_mendedAndSentBack_isCounted() {
        service.ready();
        SentEvents events = events("mended");
        String counter = "ec:" + events.day() + ":" + events.flag() + ":" + SentEvents.VARIATION;
        counts.run("RPUSH", counter, "no-counter");
        broker.publish(events.message(10), 1);
        broker.publish(events.message(10).with(SPOILT_HEADERS), 1);
        await().atMost(PATIENCE).pollInterval(POLL).until(() -> letters(events).size() == 11);

        Raw spoilt = letterInTheBroker(letter ->
                letter.headers().getOrDefault("flagtally-error-code", "").equals("MALFORMED"));
        SPOILT_HEADERS.forEach((name, value) -> assertTrue(has(spoilt, name, value), name + " in " + spoilt.headers()));
        counts.run("DEL", counter);
        await().atMost(PATIENCE).pollInterval(POLL).until(() -> {
            sendBack(letters(events));
            return letters(events).isEmpty();
        });

        assertCounted(events);
    }

    @Test
    @Order(35)
    void requests_atTheSameTime_shareMessages() throws Exception {
        service.ready();
        SentEvents events = events("gathered");
        Set<String> messages = new HashSet<>();
        int requests = 0;
        long end = System.nanoTime() + PATIENCE.toNanos();
        do {
            try (Sending sending = new Sending(events, 100, 1, 0, service)) {
                sending.end();
            }
            requests += 100;
            List<Raw> read = broker.read(BrokerForTests.EVENTS, BrokerForTests.SECOND_GROUP);
            keep(read);
            read.stream().filter(message -> speaksOf(events, message)).forEach(message -> messages.add(text(message)));
        } while (messages.size() >= requests && System.nanoTime() < end);

        assertTrue(messages.size() < requests, messages.size() + " messages for " + requests + " requests");
        assertCounted(events);
    }

    @Test
    @Order(40)
    void register_eventAboveTheLimit_isRefusedWithItsSizeAndTheLimit() {
        service.ready();
        SentEvents events = events("oversize");
        String large = new SentEvents("oversize").lines(1);
        large = large.replace("\"reason\":", "\"metadata\":{\"padding\":\"" + "x".repeat(70_000) + "\"},\"reason\":");
        String request = SentEvents.request(large + "\n" + events.lines(30));

        // A broker may refuse the others for a moment.
        String answer = await().atMost(PATIENCE)
                .until(() -> service.post("/register_events", request), each -> each.statusCode() == 200)
                .body();

        assertTrue(answer.contains(String.valueOf(BrokeredService.MESSAGE_BYTES_MAX)), answer);
        Matcher size = Pattern.compile("the event has (\\d+) bytes").matcher(answer);
        assertTrue(size.find(), answer);
        // Its size as it travels, which is that of its JSON give or take some spaces.
        assertEquals(large.length(), Integer.parseInt(size.group(1)), 100, answer);
        assertTrue(answer.contains("\"retriable\":false"), answer);
        assertCounted(events);
    }

    @Test
    @Order(50)
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
    @Order(60)
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
    @Order(70)
    void store_stopped_backlogStaysInTheBroker() {
        service.ready();
        SentEvents events = events("store-stopped");
        long backlogBefore = broker.backlog();
        long heldBefore = broker.held(service);
        int heldMax = broker.heldMax(MESSAGES_IN_PIPELINE_MAX);
        int heldMin = BrokeredService.BATCH_EVENTS_MAX / EVENTS_A_MESSAGE;
        // Without a bound all of them would be held.
        int copies = Math.max(heldMax, MESSAGES_IN_PIPELINE_MAX) / 20;
        int messages = 40 * copies;

        counts.pause();
        for (int i = 0; i < 40; i++) {
            broker.publish(events.message(EVENTS_A_MESSAGE), copies);
        }
        await().atMost(PATIENCE)
                .until(() -> service.metric("flagtally_pipeline_in_flight") >= BrokeredService.BATCH_EVENTS_MAX);
        await().atMost(PATIENCE).until(() -> broker.backlog() >= backlogBefore + messages);
        await("messages delivered and not acknowledged")
                .atMost(PATIENCE)
                .pollInterval(POLL)
                .until(() -> broker.held(service) - heldBefore, held -> held >= heldMin);
        await("no more of them than " + heldMax)
                .pollInterval(POLL)
                .during(WATCHED)
                .atMost(PATIENCE)
                .until(() -> broker.held(service) - heldBefore, held -> held <= heldMax);
        double eventsHeld = service.metric("flagtally_pipeline_in_flight");
        int live = service.status("/q/health/live");
        counts.resume();

        assertTrue(eventsHeld <= EVENTS_IN_PIPELINE_MAX, "events held: " + eventsHeld);
        assertEquals(200, live);
        assertCounted(events);
    }

    @Test
    @Order(80)
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
    @Order(90)
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
    @Order(100)
    void stop_inMidBatch_drains() throws Exception {
        service.ready();
        SentEvents events = events("drained");
        String log;
        try (Sending sending = new Sending(events, 20_000, 20, 5, service)) {
            sending.await(60);
            log = service.stop();
            sending.enough();
            service.have(lastSettings());
            service.ready();
            sending.end();
        }

        assertFalse(log.contains("events not written"), log);
        assertCounted(events);
    }

    @Test
    @Order(120)
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
        return new BrokeredService(broker, proxy.port(), postgres, counts, settings).on("-Xmx256m");
    }

    private void stopBroker(Consumer<BrokerForTests> way) {
        brokerStopped = true;
        way.accept(broker);
    }

    private void restartBroker() {
        broker.restart();
        brokerStopped = false;
    }

    /** Remembers what the second group has got. */
    void keep(List<Raw> messages) {
        messages.forEach(message -> secondGroupRead.addAll(ids(message)));
    }

    private SentEvents events(String flag) {
        return sent(new SentEvents(flag + "-" + broker.profile()));
    }

    /** Events that the second group must get too. */
    SentEvents sent(SentEvents events) {
        sent.add(events);
        return events;
    }

    BrokerForTests broker() {
        return broker;
    }

    BrokeredService service() {
        return service;
    }

    /** What the service is given for the last cases; it starts once more before them. */
    String[] lastSettings() {
        return new String[0];
    }

    /** Are the counts equal to the distinct events that were sent? Also after the broker has delivered everything. */
    void assertCounted(SentEvents events) {
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

    /** The ids of the letters for these events, in the table. */
    private List<String> letters(SentEvents events) {
        return JsonPath.from(service.get("/v1/dead_letters?limit=500").body())
                .param("flag", "\"" + events.flag() + "\"")
                .getList("deadLetters.findAll { it.payload.contains(flag) }.id");
    }

    private void sendBack(List<String> letters) {
        String ids = letters.stream().map(id -> "\"" + id + "\"").collect(Collectors.joining(","));
        HttpResponse<String> answer = service.post("/v1/dead_letters/redrive", "{\"ids\":[" + ids + "]}");
        assertEquals(200, answer.statusCode(), answer.body());
    }

    private Raw letterInTheBroker(Predicate<Raw> wanted) {
        List<Raw> letters = new ArrayList<>();
        await().atMost(PATIENCE).pollInterval(POLL).until(() -> {
            letters.addAll(broker.read(BrokerForTests.DEAD_LETTERS, BrokerForTests.SECOND_GROUP));
            return letters.stream().anyMatch(wanted);
        });
        return letters.stream().filter(wanted).findFirst().orElseThrow();
    }

    /** Under its own name, or among those that a broker has no room for. */
    private static boolean has(Raw letter, String name, String value) {
        return value.equals(letter.headers().get(name))
                || letter.headers()
                        .getOrDefault("flagtally-other-headers", "")
                        .contains("\"" + name + "\":\"" + value + "\"");
    }

    private static boolean speaksOf(SentEvents events, Raw message) {
        return text(message).contains("\"" + events.flag() + "\"");
    }

    private static String text(Raw message) {
        return new String(message.payload(), StandardCharsets.UTF_8);
    }

    /** What lies there, repeats left out: a sender that was not answered sends again. */
    private static Set<String> different(List<Raw> messages) {
        return messages.stream().map(BrokerContract::text).collect(Collectors.toSet());
    }

    static List<String> ids(Raw message) {
        return ID.matcher(text(message)).results().map(found -> found.group(1)).toList();
    }
}
