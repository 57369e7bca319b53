package io.flagtally.console;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.microsoft.playwright.Page;
import com.microsoft.playwright.Route;
import io.flagtally.packaged.ServiceProcess;
import io.flagtally.testing.LiveEvents;
import io.flagtally.testing.TestData;
import java.io.IOException;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.time.ZoneId;
import java.time.format.DateTimeFormatter;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.IntStream;
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

            List<Route> held = new CopyOnWriteArrayList<>();
            page.route("**/v1/evaluation_series**", held::add);
            page.click("[aria-label=Range] >> text=14 days");
            console.awaitText("main", "Reading the counts…");
            assertTrue(page.locator("text=CSV").isDisabled(), "these would be the counts of the other range");
            page.unroute("**/v1/evaluation_series**");
            held.forEach(Route::resume);
            console.awaitText(".chart-card h2", "per day");
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
            page.waitForResponse(
                    "**/v1/evaluation_series?**from=" + today.minusDays(2) + "**",
                    () -> page.fill(".dates input >> nth=0", today.minusDays(2).toString()));
            assertTrue(page.url().contains("from=" + today.minusDays(2)), page::url);
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
        try (ConsolePage console = ConsolePage.of(chromium.browser(), service.uri(""), "en-GB")) {
            Page page = console.page();
            page.clock().install();
            console.open("#/overview?environment=shop").signIn(ADMIN);
            console.awaitText(".flags", "in-the-shop");
            console.awaitText(".card-head .hint", "flags in all");
            long flags = flagsInAll(page);
            send(SHOP, "new-in-the-shop", 1);
            page.clock().fastForward("01:01");
            page.waitForFunction(
                    "text => document.querySelector('.card-head .hint').textContent.includes(text)",
                    "· " + (flags + 1) + " flags in all");

            page.selectOption("select[aria-label=Environment]", "bank");
            console.awaitText(".flags", "in-the-bank");
            assertEquals(0, page.locator(".flags >> text=in-the-shop").count());
            assertTrue(page.url().contains("environment=bank"));
            page.goBack();
            console.awaitText(".flags", "in-the-shop");
            assertEquals("shop", page.inputValue("select[aria-label=Environment]"));
            page.goForward();
            console.awaitText(".flags", "in-the-bank");
            assertEquals("bank", page.inputValue("select[aria-label=Environment]"));
            console.assertNoProblems();
        }
    }

    private static long flagsInAll(Page page) {
        return Long.parseLong(page.textContent(".card-head .hint").replaceAll("[^0-9]", ""));
    }

    @Test
    void stream_endsBeforeItShowsAnythingOrIsRefused_isNotCalledLive() {
        String streams = "**/v1/live/**";
        try (ConsolePage console = ConsolePage.of(chromium.browser(), service.uri(""), "en-GB")) {
            Page page = console.page();
            page.clock().install();
            console.open("#/flags/unread?environment=bank").signIn(READER);
            page.waitForSelector(LIVE);
            page.route(
                    streams,
                    unread -> unread.fulfill(new Route.FulfillOptions()
                            .setContentType("text/event-stream")
                            .setBody(":hello\n\n")));
            lookAway(page);
            console.awaitText(".note.warning", "The live stream is lost since");

            page.unroute(streams);
            page.route(
                    streams,
                    refused -> refused.fulfill(
                            new Route.FulfillOptions().setStatus(403).setBody("{\"detail\":\"Not for you.\"}")));
            page.clock().fastForward("00:20");
            console.awaitText(".note.warning", "No live numbers: Not for you.");
            lookAway(page);
            page.clock().runFor(500);
            assertEquals("Not live", page.textContent(".status").strip());
        }
    }

    /** Puts the page behind others for so long that it gives its connections back, and in front again. */
    private static void lookAway(Page page) {
        ConsolePage.hide(page, true);
        page.clock().fastForward("00:04");
        ConsolePage.hide(page, false);
    }

    @Test
    void chartLibrary_thatDidNotLoad_isFetchedAgain() {
        send(SHOP, "drawn-later", 1);
        try (ConsolePage console = ConsolePage.of(chromium.browser(), service.uri(""), "en-GB")) {
            Page page = console.page();
            String library = "**/chart.umd.min.js";
            page.route(library, Route::abort);
            console.open("#/flags/drawn-later?environment=shop").signIn(READER);
            console.awaitText(".reading", "The chart library could not be loaded");
            page.unroute(library);
            page.click("[aria-label=Shape] >> text=Stacked");
            page.waitForSelector(CHART);
            assertEquals("", page.textContent(".reading"));
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
                        200,
                        counts.send(LiveEvents.request(counts.uri(""), "local", events("counted", 10)))
                                .statusCode());
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
        return service.send(LiveEvents.request(service.uri(""), key, events));
    }

    private static List<String> events(String flag, int count) {
        long second = Instant.now().getEpochSecond();
        return IntStream.range(0, count)
                .mapToObj(i -> LiveEvents.event(flag, "on", "user-" + i, second))
                .toList();
    }
}
