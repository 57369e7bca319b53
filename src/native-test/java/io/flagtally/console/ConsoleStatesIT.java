package io.flagtally.console;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.microsoft.playwright.Page;
import io.flagtally.packaged.ServiceProcess;
import io.flagtally.testing.TestData;
import java.io.IOException;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.time.ZoneId;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicBoolean;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** The console where a store is away, the key may little, there are several environments, and the clock is another one. */
@Tag("installed-servers")
class ConsoleStatesIT {

    private static final ZoneId ZONE = ZoneId.of("Asia/Tokyo");
    private static final String ADMIN = "k-admin";
    private static final String READER = "k-reader";
    private static final String SHOP = "k-shop";
    private static final String BANK = "k-bank";
    private static final String LIVE = ".status.live";
    private static final String CHART = "flag-chart canvas[aria-label]";

    private static ServiceProcess service;

    @RegisterExtension
    static final Chromium chromium = Chromium.launch();

    @BeforeAll
    static void start() {
        ServiceProcess.Start start = ServiceProcess.in(TestData.newDirectory("console-states"))
                .with("-Dflagtally.time.zone=" + ZONE)
                .with("-Dflagtally.ledger.flush-every=1S");
        key(start, "admin", ADMIN, "ADMIN", "*");
        key(start, "reader", READER, "READ_ONLY", "*");
        key(start, "shop", SHOP, "SDK_CLIENT", "shop");
        key(start, "bank", BANK, "SDK_CLIENT", "bank");
        service = start.ready();
    }

    @AfterAll
    static void stop() {
        if (service != null) {
            service.close();
        }
    }

    @Test
    void redisPaused_flagView_saysFromWhenItIsAndTheHourStillAddsUp() {
        send(BANK, "paused", 1);
        try (ConsolePage console = open("en-GB", "#/flags/paused?environment=bank", ADMIN)) {
            Page page = console.page();
            console.awaitText("#today-events", "1");
            page.waitForSelector(CHART);
            page.waitForFunction("() => document.querySelector('#rate').textContent.trim() !== '–'");
            try (PausedServer unused = PausedServer.of(service, "redis-server")) {
                CompletableFuture<HttpResponse<String>> sent =
                        CompletableFuture.supplyAsync(() -> register(BANK, events("paused", 1)));
                page.waitForSelector(".status.stale");
                console.awaitText(
                        ".note.warning",
                        "Counts of flags cannot be read just now: what you see of them is from before");
                assertTrue(page.locator("main.stale").isVisible());
                assertEquals("–", page.textContent("#rate").strip());
                assertEquals("1", page.textContent("#today-events").strip());
                assertTrue(page.locator(CHART).isVisible(), "what was read stays");
                assertEquals(List.of(), console.barriers());
                assertEquals(503, sent.join().statusCode(), "it is written later all the same");
            }
            page.waitForSelector(LIVE);
            console.awaitDetached(".note.warning");
            console.awaitText("#today-events", "2");

            console.go("#/pipeline?environment=bank");
            console.awaitText(".trust .verdict", "1 more delivered than acknowledged");
            console.awaitText(".trust tbody tr", "1 more delivered than acknowledged");
            page.waitForFunction("""
                    () => {
                      const of = (name) => document.querySelector(`.trust [data-of='${name}']`)?.textContent.replace(/[\\s,]/g, '');
                      return of('difference') === '+1' && Number(of('delivered')) === Number(of('accepted')) + 1
                        && Number(of('delivered')) === Number(of('mau counted')) + Number(of('mau repeats'));
                    }""");
        }
    }

    @Test
    void zoneAndLocale_ofTheReader_writeHoursAndNumbers() throws IOException {
        send(SHOP, "tokyo", 1234);
        try (ConsolePage console = open("de-DE", "#/flags/tokyo?environment=shop&metric=uniques", ADMIN)) {
            Page page = console.page();
            console.awaitText("#today-events", "1.234");
            console.awaitText("footer", "Asia/Tokyo");
            console.awaitText(".variations tbody", "100,0 %".replace(' ', '\u00a0'));
            page.waitForSelector(CHART);
            page.focus(".canvas-box");
            page.keyboard().press("End");
            String reading = page.textContent(".reading");
            String now =
                    DateTimeFormatter.ofPattern("HH:'00'").format(Instant.now().atZone(ZONE));
            assertTrue(reading.contains(", " + now + ": ") && reading.contains("on ≈ 1.2"), reading);

            String csv = Files.readString(
                    page.waitForDownload(() -> page.click("text=CSV")).path());
            assertTrue(csv.contains(",Asia/Tokyo,tokyo,on,,1234,"), csv);

            page.click("[aria-label=Range] >> text=14 days");
            page.waitForFunction("() => document.querySelector('.chart-card h2').textContent.includes('per day')");
            LocalDate first = LocalDate.now(ZONE).minusDays(13);
            List<String> lines = Files.readString(
                            page.waitForDownload(() -> page.click("text=CSV")).path())
                    .lines()
                    .toList();
            assertEquals(1 + 14 * 2, lines.size());
            assertTrue(
                    lines.get(1)
                            .startsWith(first.atStartOfDay(ZONE)
                                    .toInstant()
                                    .toString()
                                    .replace("Z", ".000Z")),
                    lines.get(1));
        }
    }

    @Test
    void dates_chosen_areReadAndInTheLink() {
        send(SHOP, "dated", 1);
        LocalDate today = LocalDate.now(ZONE);
        try (ConsolePage console = open("en-GB", "#/flags/dated?environment=shop", ADMIN)) {
            Page page = console.page();
            page.click("[aria-label=Range] >> text=Dates");
            page.fill(".dates input >> nth=0", today.minusDays(2).toString());
            page.waitForFunction(
                    "from => location.hash.includes(`from=${from}`)",
                    today.minusDays(2).toString());
            page.waitForSelector(CHART);
            page.focus(".canvas-box");
            page.keyboard().press("Home");
            page.waitForFunction(
                    "day => document.querySelector('.reading').textContent.includes(day)",
                    DateTimeFormatter.ofPattern("d MMM", Locale.UK).format(today.minusDays(2)));
            console.assertNoProblems();
        }
    }

    @Test
    void environments_several_areSwitched() {
        send(SHOP, "in-the-shop", 1);
        send(BANK, "in-the-bank", 1);
        try (ConsolePage console = open("en-GB", "#/overview?environment=shop", ADMIN)) {
            console.awaitText(".flags", "in-the-shop");
            console.page().selectOption("select[aria-label=Environment]", "bank");
            console.awaitText(".flags", "in-the-bank");
            assertEquals(0, console.page().locator(".flags >> text=in-the-shop").count());
            assertTrue(console.page().url().contains("environment=bank"));
            console.assertNoProblems();
        }
    }

    @Test
    void readOnlyKey_isToldWhatItMayNot_andSendsWithAnother() {
        send(BANK, "elsewhere", 1);
        try (ConsolePage console = open("en-GB", "#/pipeline?environment=bank", READER)) {
            Page page = console.page();
            console.awaitText("main", "are for keys with the role ADMIN");
            page.waitForSelector(".trust tbody tr");

            console.go("#/send?environment=bank");
            console.awaitText("h1", "Send a test event");
            page.waitForSelector(LIVE);
            page.click("button.primary");
            console.awaitText(".problem", "Your key may not send");
            page.fill("input[type=password]", SHOP);
            page.click("button.primary");
            console.awaitText(".done", "Acknowledged");
            console.awaitText(".problem", "Nothing moves in the environment bank");
            page.fill("input[type=password]", BANK);
            page.click("button.primary");
            console.awaitText("#moving", "1");
            assertEquals(0, page.locator(".problem").count());
        }
    }

    @Test
    void keyTakenAway_streamComesBack_leadsToTheSignIn() {
        send(BANK, "taken", 1);
        try (ConsolePage console = open("en-GB", "#/flags/taken?environment=bank", READER)) {
            Page page = console.page();
            page.waitForSelector(LIVE);
            page.evaluate("() => sessionStorage.setItem('flagtally.key', 'no longer')");
            AtomicBoolean closed = new AtomicBoolean();
            page.onRequestFailed(request -> closed.set(true));
            ConsolePage.hide(page, true);
            page.waitForCondition(closed::get);
            ConsolePage.hide(page, false);
            console.awaitText(".problem", "The key is no longer accepted");
        }
    }

    @Test
    void overview_countsOnlyAndOneReader_saysWhatIsNotCountedAndNotLive() {
        try (ServiceProcess counts = ServiceProcess.in(TestData.newDirectory("console-counts"))
                        .with("-Dflagtally.pipeline.sinks=counts")
                        .with("-Dflagtally.live.readers-per-key-max=1")
                        .with("-Dflagtally.ledger.flush-every=1S")
                        .ready();
                ConsolePage console = ConsolePage.of(chromium.browser(), counts.uri(""), "en-GB")) {
            console.open("#/overview").signIn("local");
            console.awaitText(".note.warning", "The console tries again");
            Awaitility.await().pollInSameThread().atMost(Duration.ofMinutes(1)).until(() -> {
                assertEquals(
                        200, register(counts, "local", events("counted", 10)).statusCode());
                return (Boolean) console.page()
                        .evaluate("() => Number(document.querySelector('.figures .value').textContent) > 0");
            });
            console.awaitText(".figures", "active users are not counted here");
        }
    }

    @Test
    void theme_switched_isKept() {
        try (ConsolePage console = open("en-GB", "#/send", READER)) {
            Page page = console.page();
            page.click("[aria-label='Dark colours']");
            page.waitForFunction("() => getComputedStyle(document.body).backgroundColor === 'rgb(16, 18, 24)'");
            page.reload();
            page.waitForSelector("[aria-label='Light colours']");
            assertEquals("dark", page.getAttribute("html", "data-theme"));
        }
    }

    private static ConsolePage open(String locale, String hash, String key) {
        return ConsolePage.of(chromium.browser(), service.uri(""), locale)
                .open(hash)
                .signIn(key);
    }

    private static void key(ServiceProcess.Start start, String name, String key, String role, String environment) {
        String prefix = "-Dflagtally.security.api-keys." + name;
        start.with(prefix + ".key=" + key).with(prefix + ".roles=" + role).with(prefix + ".environment=" + environment);
    }

    private static void send(String key, String flag, int count) {
        HttpResponse<String> answer = register(key, events(flag, count));
        assertEquals(200, answer.statusCode(), answer::body);
    }

    private static HttpResponse<String> register(String key, List<String> events) {
        return register(service, key, events);
    }

    private static HttpResponse<String> register(ServiceProcess service, String key, List<String> events) {
        return service.send(HttpRequest.newBuilder(service.uri("/register_events"))
                .header("authorization", key)
                .POST(BodyPublishers.ofString(
                        "{\"events\":[" + String.join(",", events) + "],\"sourceId\":\"JAVASCRIPT\"}")));
    }

    private static List<String> events(String flag, int count) {
        List<String> events = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            events.add("""
                    {"id":"%s","event":{"@type":"type.googleapis.com/bucketeer.event.client.EvaluationEvent",
                     "timestamp":%d,"featureId":"%s","variationId":"on","userId":"user-%d","reason":{"type":"RULE"}}}""".formatted(UUID.randomUUID(), Instant.now().getEpochSecond(), flag, i));
        }
        return events;
    }
}
