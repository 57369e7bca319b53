package io.flagtally.console;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.microsoft.playwright.Browser;
import com.microsoft.playwright.BrowserType;
import com.microsoft.playwright.Download;
import com.microsoft.playwright.Page;
import com.microsoft.playwright.Playwright;
import com.microsoft.playwright.options.ColorScheme;
import io.flagtally.packaged.ServiceProcess;
import io.flagtally.platform.embedded.LoopbackPort;
import io.flagtally.testing.TestData;
import java.io.IOException;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** What people do with the console, done in Chromium. */
@Tag("installed-servers")
class ConsoleIT {

    private static final String KEY = "local";
    private static final String FLAG = "checkout-button";
    private static final Path CHROMIUM = Path.of("/usr/bin/chromium");
    private static final List<String> BARE = List.of(
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--no-first-run");

    /** The views, and what is shown once each has read what it shows. */
    private static final Map<String, String> VIEWS = Map.of(
            "#/overview",
            ".flags tbody tr",
            "#/flags/" + FLAG + "?range=7d",
            "flag-chart canvas",
            "#/users",
            "flag-chart canvas",
            "#/pipeline",
            ".trust tbody tr",
            "#/send",
            ".moving .value");

    private static final Path DIRECTORY = TestData.newDirectory("console");
    private static final int PORT = LoopbackPort.free();

    private static ServiceProcess service;
    private static Playwright playwright;
    private static Browser browser;

    @BeforeAll
    static void start() {
        assertTrue(Files.exists(CHROMIUM), CHROMIUM + " is missing; install it as .ci/run does");
        service = startService();
        sendSomeDays();
        playwright = Playwright.create(
                new Playwright.CreateOptions().setEnv(Map.of("PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD", "1")));
        browser = playwright
                .chromium()
                .launch(new BrowserType.LaunchOptions()
                        .setExecutablePath(CHROMIUM)
                        .setArgs(BARE));
    }

    @AfterAll
    static void stop() {
        if (playwright != null) {
            playwright.close();
        }
        if (service != null) {
            service.close();
        }
    }

    @Test
    void signIn_unknownKey_isToldAndTheRightOneOpensTheLink() {
        try (ConsolePage console = desktop().open("#/pipeline")) {
            console.page().fill("#key", "wrong");
            console.page().keyboard().press("Enter");
            console.awaitText("[role=alert]", "This key may not read");
            console.forgiveProblems();

            console.signIn(KEY);
            console.awaitText("h1", "Pipeline");
            console.awaitText("footer", "UTC");
            assertEquals(0L, localValuesWithKey(console), "the key is kept for the session only");

            console.page().click("text=Sign out");
            console.page().waitForSelector("#key");
            console.assertNoProblems();
        }
    }

    @Test
    void views_all_showWithoutErrorsAndBarriers() {
        for (ColorScheme colors : List.of(ColorScheme.LIGHT, ColorScheme.DARK)) {
            try (ConsolePage console = desktop(colors).open("").signIn(KEY)) {
                VIEWS.forEach((hash, shown) -> {
                    console.go(hash);
                    console.page().waitForSelector(shown);
                    String[] rules = colors == ColorScheme.DARK ? new String[] {"color-contrast"} : new String[0];
                    assertEquals(List.of(), console.barriers(rules), hash + " " + colors);
                    assertEquals(0, console.page().locator(".state.error").count(), hash);
                });
                console.assertNoProblems();
            }
        }
    }

    @Test
    void views_phoneAndFourfoldZoom_needNoSidewaysScrolling() {
        for (int width : new int[] {390, 320}) {
            try (ConsolePage console = ConsolePage.in(browser, service.uri(""), width, 640, ColorScheme.LIGHT)
                    .open("")
                    .signIn(KEY)) {
                VIEWS.forEach((hash, shown) -> {
                    console.go(hash);
                    console.page().waitForSelector(shown);
                    assertEquals(0, console.overhang(), hash + " at " + width);
                });
            }
        }
    }

    @Test
    void flag_eventSentByHttp_isSeenWithinASecond() {
        try (ConsolePage console = desktop().open("#/flags/live-flag").signIn(KEY)) {
            console.page().waitForSelector(".status.live");
            List<Long> millis = new ArrayList<>();
            for (int i = 1; i <= 11; i++) {
                long start = System.nanoTime();
                send("live-flag", "on", "user-" + i, Instant.now());
                awaitToday(console, String.valueOf(i));
                millis.add(Duration.ofNanos(System.nanoTime() - start).toMillis());
            }
            millis.sort(null);
            System.out.println("An event sent is seen after " + millis + " ms");
            assertTrue(millis.get(millis.size() / 2) < 1_000, () -> "median of " + millis + " ms");
            console.assertNoProblems();
        }
    }

    @Test
    void flag_rangeLinkAndDownloads_agree() throws IOException {
        String link;
        try (ConsolePage console = desktop().open("#/flags/" + FLAG).signIn(KEY)) {
            Page page = console.page();
            page.click("text=7 days");
            page.click("text=Stacked");
            console.awaitText(".chart-card h2", "per day");
            page.waitForSelector("flag-chart canvas");
            link = page.url();
            assertTrue(link.contains("range=7d") && link.contains("shape=areas"), link);

            Download csv = page.waitForDownload(() -> page.click("text=CSV"));
            List<String> lines = Files.readAllLines(csv.path());
            assertEquals(
                    "start,zone,featureId,variationId,variation,events,uniques,uniquesStandardError", lines.get(0));
            assertEquals(1 + 7 * 3, lines.size(), "seven days of three variations");
            long events = lines.stream()
                    .skip(1)
                    .mapToLong(line -> Long.parseLong(line.split(",", -1)[5]))
                    .sum();
            assertEquals(events, number(page.textContent(".variations tfoot td")));

            byte[] png = Files.readAllBytes(
                    page.waitForDownload(() -> page.click("text=PNG")).path());
            assertEquals("PNG", new String(Arrays.copyOfRange(png, 1, 4), StandardCharsets.US_ASCII));
            assertTrue(png.length > 2_000, () -> png.length + " bytes");
            console.assertNoProblems();
        }
        try (ConsolePage again =
                desktop().open(link.substring(link.indexOf('#'))).signIn(KEY)) {
            again.page().waitForSelector("flag-chart canvas");
            assertEquals("7 days", pressed(again, "Range"));
            assertEquals("Stacked", pressed(again, "Shape"));
        }
    }

    @Test
    void stream_serviceRestartedUnderneath_saysSoAndComesBack() {
        try (ConsolePage console = desktop().open("#/flags/restarted").signIn(KEY)) {
            send("restarted", "on", "anna", Instant.now());
            awaitToday(console, "1");

            service.stop();
            console.awaitText(".note.warning", "The live stream is lost since");
            assertTrue(console.page().locator("main.stale").isVisible());
            assertEquals("1", console.page().textContent("#today-events").strip());

            service = startService();
            console.page().waitForSelector(".status.live");
            console.page()
                    .waitForSelector(
                            ".note.warning",
                            new Page.WaitForSelectorOptions()
                                    .setState(com.microsoft.playwright.options.WaitForSelectorState.DETACHED));
            send("restarted", "on", "ben", Instant.now());
            awaitToday(console, "2");
        }
    }

    @Test
    void keyboard_alone_findsAFlagAndChangesItsRange() {
        try (ConsolePage console = desktop().open("")) {
            Page page = console.page();
            page.waitForSelector("#key");
            page.keyboard().type(KEY);
            page.keyboard().press("Enter");
            page.waitForSelector(".flags tbody tr");

            page.keyboard().press("/");
            page.keyboard().type("checkout");
            page.waitForSelector("#found li[role=option] .named");
            page.keyboard().press("ArrowDown");
            page.keyboard().press("Enter");
            console.awaitText("h1", FLAG);

            tabTo(page, "30 days");
            page.keyboard().press("Enter");
            page.waitForFunction("() => location.hash.includes('range=30d')");
            assertEquals("30 days", pressed(console, "Range"));
            console.assertNoProblems();
        }
    }

    @Test
    void pipeline_eventThatCannotBeCounted_isADeadLetterAndTheHourAddsUp() throws IOException {
        long today = Instant.now().truncatedTo(ChronoUnit.DAYS).getEpochSecond();
        assertEquals(":1", service.askRedis("LPUSH ec:" + today + ":uncountable:on x"));
        send("uncountable", "on", "anna", Instant.now());

        try (ConsolePage console = desktop().open("#/pipeline").signIn(KEY)) {
            Page page = console.page();
            page.click(".letters summary:has-text('COUNTER_UNUSABLE')");
            console.awaitText(".letters details[open] pre", "\"featureId\": \"uncountable\"");

            awaitBalance(console);
            console.awaitText(".trust .verdict", "Everything that came in is accounted for.");
            for (String text : List.of(
                    "Set aside, 24 hours",
                    "EVENT_FIELD_EMPTY",
                    "Ids of events, to know repeats",
                    "PostgreSQL",
                    "store-sizes",
                    "in-process")) {
                console.awaitText("main", text);
            }
            assertEquals(List.of(), console.barriers());
            console.assertNoProblems();
        }
    }

    /** Waits until the newest hour says that it adds up, and adds it up: one event at least is set aside in it. */
    private static void awaitBalance(ConsolePage console) {
        console.page().waitForFunction("""
                () => {
                  const cells = [...(document.querySelector('.trust tbody tr')?.cells ?? [])].map(c => c.textContent.trim());
                  const number = (cell) => Number(cells[cell]?.replaceAll(',', ''));
                  const [accepted, flags, flagRepeats, users, userRepeats, aside] = [1, 2, 3, 4, 5, 6].map(number);
                  return cells[8] === 'adds up' && aside >= 1
                    && accepted === users + userRepeats && accepted === flags + flagRepeats + aside;
                }""");
    }

    @Test
    void testEvent_sentTwice_countsOnce() {
        try (ConsolePage console = desktop().open("#/send").signIn(KEY)) {
            Page page = console.page();
            page.getByLabel("Flag id").fill("tried-out");
            console.awaitText(".moving h2", "tried-out");
            page.waitForSelector(".status.live");
            page.click("button.primary");
            console.awaitText("#moving", "1");
            page.click("text=Send the very same again");
            console.awaitText(".done", "still counted once");
            assertEquals("1", page.textContent("#moving").strip());
            assertTrue(page.textContent("pre").contains("curl " + service.uri("/register_events")));
            console.assertNoProblems();
        }
    }

    @Test
    void page_coldBrowser_paintsWithinASecondUnderItsPolicy() {
        HttpResponse<String> page = service.get("/");
        String policy = page.headers().firstValue("content-security-policy").orElse("");
        assertTrue(policy.startsWith("default-src 'self'") && !policy.contains("unsafe"), policy);
        assertEquals("no-cache", page.headers().firstValue("cache-control").orElse(""));
        assertEquals(200, service.get("/swagger-ui/").statusCode());

        try (ConsolePage console = desktop().open("")) {
            console.page().waitForSelector("#key");
            Object paint = console.page()
                    .evaluate("() => performance.getEntriesByName('first-contentful-paint')[0].startTime");
            System.out.printf("The first paint came after %.0f ms%n", ((Number) paint).doubleValue());
            assertTrue(((Number) paint).doubleValue() < 1_000, () -> paint + " ms");
            console.assertNoProblems();
        }
    }

    @Test
    void jsSdk_inAPageOfAnotherOrigin_isCounted() throws Exception {
        Path work = Files.createDirectories(Path.of("target", "js-sdk-browser"));
        Files.copy(
                Path.of("src", "native-test", "js-sdk", "package.json"),
                work.resolve("package.json"),
                java.nio.file.StandardCopyOption.REPLACE_EXISTING);
        Process npm = new ProcessBuilder("npm", "install", "--no-audit", "--no-fund", "--no-package-lock")
                .directory(work.toFile())
                .redirectErrorStream(true)
                .redirectOutput(work.resolve("npm.log").toFile())
                .start();
        assertTrue(npm.waitFor(120, TimeUnit.SECONDS), "npm does not end");
        assertEquals(0, npm.exitValue(), () -> "npm cannot install the SDK, see " + work.resolve("npm.log"));

        try (ForeignPage shop = new ForeignPage(work.resolve("node_modules"));
                ConsolePage console = desktop().open("#/flags/js-sdk-flag").signIn(KEY)) {
            Page page = browser.newPage();
            page.navigate(shop.uri().toString());
            page.waitForFunction("() => window.visit");
            page.evaluate(
                    "([url, key, flag]) => window.visit(url, key, flag, ['ann', 'bob', 'cleo'])",
                    List.of(service.uri("").toString(), KEY, "js-sdk-flag"));
            page.close();

            awaitToday(console, "3");
            assertFalse(shop.uri().getAuthority().equals(service.uri("").getAuthority()));
        }
    }

    private static ServiceProcess startService() {
        return ServiceProcess.in(DIRECTORY).port(PORT).ready();
    }

    private static ConsolePage desktop() {
        return desktop(ColorScheme.LIGHT);
    }

    private static ConsolePage desktop(ColorScheme colors) {
        return ConsolePage.in(browser, service.uri(""), 1280, 860, colors);
    }

    /** A week of two variations and of errors, and one event that is refused. */
    private static void sendSomeDays() {
        List<String> events = new ArrayList<>();
        for (int day = 0; day < 7; day++) {
            for (int i = 0; i < 60; i++) {
                Instant time = Instant.now().minus(Duration.ofDays(day));
                String reason = i % 12 == 0 ? "ERROR_EXCEPTION" : "RULE";
                events.add(event(FLAG, i % 3 == 0 ? "green" : "blue", "user-" + i * (day + 1), time, reason));
            }
        }
        events.add(event(FLAG, "blue", "", Instant.now(), "RULE"));
        register(events, 1);
    }

    private static void send(String flag, String variation, String user, Instant time) {
        register(List.of(event(flag, variation, user, time, "RULE")), 0);
    }

    private static void register(List<String> events, int refused) {
        HttpResponse<String> answer = service.send(HttpRequest.newBuilder(service.uri("/register_events"))
                .header("authorization", KEY)
                .POST(BodyPublishers.ofString(
                        "{\"events\":[" + String.join(",", events) + "],\"sourceId\":\"JAVASCRIPT\"}")));
        assertEquals(200, answer.statusCode(), answer::body);
        assertEquals(refused, answer.body().split("retriable", -1).length - 1, answer::body);
    }

    private static String event(String flag, String variation, String user, Instant time, String reason) {
        return "{\"id\":\"" + UUID.randomUUID()
                + "\",\"event\":{\"@type\":\"type.googleapis.com/bucketeer.event.client.EvaluationEvent\",\"timestamp\":"
                + time.getEpochSecond() + ",\"featureId\":\"" + flag + "\",\"variationId\":\"" + variation
                + "\",\"userId\":\"" + user + "\",\"reason\":{\"type\":\"" + reason + "\"}}}";
    }

    private static void awaitToday(ConsolePage console, String events) {
        console.page()
                .waitForFunction(
                        "text => document.querySelector('#today-events')?.textContent.trim() === text", events);
    }

    private static String pressed(ConsolePage console, String group) {
        return console.page()
                .locator("[role=group][aria-label='" + group + "'] [aria-pressed=true]")
                .textContent()
                .strip();
    }

    private static void tabTo(Page page, String text) {
        for (int i = 0; i < 40; i++) {
            page.keyboard().press("Tab");
            if (text.equals(page.evaluate("() => document.activeElement.textContent.trim()"))) {
                return;
            }
        }
        throw new AssertionError("Tab does not lead to '" + text + "'");
    }

    private static long localValuesWithKey(ConsolePage console) {
        return ((Number) console.page()
                        .evaluate(
                                "key => Object.values(localStorage).filter(value => value.includes(key)).length", KEY))
                .longValue();
    }

    private static long number(String text) {
        return Long.parseLong(text.replaceAll("[^0-9]", ""));
    }
}
