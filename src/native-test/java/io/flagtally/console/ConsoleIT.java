package io.flagtally.console;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.microsoft.playwright.Download;
import com.microsoft.playwright.Page;
import com.microsoft.playwright.Route;
import com.microsoft.playwright.options.ColorScheme;
import io.flagtally.packaged.ServiceProcess;
import io.flagtally.platform.embedded.LoopbackPort;
import io.flagtally.testing.LiveEvents;
import io.flagtally.testing.TestData;
import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
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
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import java.util.zip.GZIPOutputStream;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** What people do with the console, done in Chromium. */
@Tag("installed-servers")
class ConsoleIT {

    private static final String KEY = "local";
    private static final String FLAG = "checkout-button";

    /** The views, their headings, and what is shown once each has read what it shows. */
    private static final List<View> VIEWS = List.of(
            new View("#/overview", "Overview", ".flags tbody tr"),
            new View("#/flags/" + FLAG + "?range=7d", FLAG, "flag-chart canvas[aria-label]"),
            new View("#/flags/never-seen", "never-seen", ".state.empty"),
            new View("#/users", "Active users", "flag-chart canvas[aria-label]"),
            new View("#/pipeline", "Pipeline", ".trust tbody tr"),
            new View("#/send", "Send a test event", ".moving .value"));

    private record View(String hash, String heading, String shown) {

        void open(ConsolePage console) {
            console.go(hash);
            console.awaitText("h1", heading);
            console.page().waitForSelector(shown);
        }
    }

    private static final Path DIRECTORY = TestData.newDirectory("console");
    private static final int PORT = LoopbackPort.free();

    private static ServiceProcess service;

    @RegisterExtension
    static final Chromium chromium = Chromium.launch();

    @BeforeAll
    static void start() {
        service = startService();
        sendSomeDays();
    }

    @AfterAll
    static void stop() {
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
            assertEquals(List.of(), console.barriers());

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
                for (View view : VIEWS) {
                    view.open(console);
                    String[] rules = colors == ColorScheme.DARK ? new String[] {"color-contrast"} : new String[0];
                    assertEquals(List.of(), console.barriers(rules), view + " " + colors);
                    assertEquals(0, console.page().locator(".state.error").count(), view.hash());
                }
                console.assertNoProblems();
            }
        }
    }

    @Test
    void views_phoneAndFourfoldZoom_needNoSidewaysScrolling() {
        for (int width : new int[] {390, 320}) {
            try (ConsolePage console = ConsolePage.in(
                            chromium.browser(), service.uri(""), width, 640, ColorScheme.LIGHT)
                    .open("")
                    .signIn(KEY)) {
                for (View view : VIEWS) {
                    view.open(console);
                    assertEquals(0, console.overhang(), view + " at " + width);
                }
                assertEquals(List.of(), console.barriers());
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
        try (ConsolePage console =
                desktop().noteDrawnTexts().open("#/flags/" + FLAG).signIn(KEY)) {
            Page page = console.page();
            page.click("text=7 days");
            page.click("text=Stacked");
            console.awaitText(".chart-card h2", "per day");
            page.waitForSelector("flag-chart canvas[aria-label]");
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

            console.forgetDrawnTexts();
            BufferedImage png = ImageIO.read(
                    page.waitForDownload(() -> page.click("text=PNG")).path().toFile());
            List<String> drawn = console.drawn();
            for (String text : List.of("blue", "green", "default", FLAG + " · Events per day")) {
                assertTrue(drawn.contains(text), () -> text + " is not among " + drawn);
            }
            assertTrue(
                    drawn.stream().anyMatch(text -> text.startsWith(FLAG + " · default · ") && text.endsWith("· UTC")),
                    drawn::toString);
            assertTrue(colours(png, 0, 80) > 1 && colours(png, 120, png.getHeight()) > 3, "the picture is blank");
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
            console.awaitDetached(".note.warning");
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
            page.waitForSelector("[aria-label=Range] [aria-pressed=true]:has-text('30 days')");
            console.assertNoProblems();
        }
    }

    @Test
    void pipeline_eventThatCannotBeCounted_isADeadLetterAndTheHourAddsUp() throws IOException {
        long today = Instant.now().truncatedTo(ChronoUnit.DAYS).getEpochSecond();
        assertEquals(":1", service.askRedis("LPUSH ec:" + today + ":uncountable:on x"));
        register(
                Stream.generate(() -> event("uncountable", "on", "anna", Instant.now(), "RULE"))
                        .limit(21)
                        .toList(),
                0);

        try (ConsolePage console = desktop().open("#/pipeline").signIn(KEY)) {
            Page page = console.page();
            page.waitForSelector(".letters summary:has-text('COUNTER_UNUSABLE')");
            page.selectOption("select[aria-label=Reason]", "COUNTER_UNUSABLE");
            page.click("text=Next 20");
            page.waitForFunction("() => document.querySelectorAll('.letters > li').length === 1");
            page.click("text=Previous 20");
            page.waitForFunction("() => document.querySelectorAll('.letters > li').length === 20");
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

            // The service takes requests and answers none; a second in this page is a hundredth of one.
            page.evaluate("""
                    () => {
                      const timeout = AbortSignal.timeout.bind(AbortSignal);
                      AbortSignal.timeout = (millis) => timeout(millis / 100);
                    }""");
            page.route("**/v1/**", unanswered -> {});
            ConsolePage.hide(page, false);
            console.awaitText(".note.warning", "The live stream is lost since");
        }
    }

    /** Waits until the newest hour says that it adds up, and adds it up: one event at least is set aside in it. */
    private static void awaitBalance(ConsolePage console) {
        console.page().waitForFunction("""
                () => {
                  const row = document.querySelector('.trust tbody tr');
                  const of = (name) =>
                    Number(row?.querySelector(`[data-of='${name}']`)?.textContent.replaceAll(',', '') ?? 0);
                  const sum = (sink) =>
                    ['counted', 'repeats', 'set aside', 'goals'].reduce((all, part) => all + of(`${sink} ${part}`), 0);
                  return row?.querySelector('.tag').textContent === 'adds up' && of('counts set aside') >= 1
                    && of('accepted') === of('delivered')
                    && of('delivered') === sum('mau') && of('delivered') === sum('counts');
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
            console.awaitText(".done", "Sent again 1×.");
            console.awaitText(".done", "The count has moved by 1.");

            page.getByLabel("User id").fill("another");
            page.click("button.primary");
            // Were the repeat counted, three events would stand beside the second user.
            page.waitForFunction("""
                    () => [...document.querySelectorAll('.moving .value')].map((each) => each.textContent.trim()).join()
                      === '2,≈ 2'""");
            assertTrue(page.textContent("pre").contains("curl " + service.uri("/register_events")));
            console.assertNoProblems();
        }
    }

    @Test
    void page_coldBrowser_paintsWithinASecondUnderItsPolicy() throws IOException {
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
            console.signIn(KEY);
            VIEWS.forEach(view -> view.open(console));
            double kilobytes = compressedBytes(console) / 1000.0;
            System.out.printf("All assets of the console are %.0f KB compressed%n", kilobytes);
            assertTrue(kilobytes > 50 && kilobytes < 400, () -> kilobytes + " KB");
            console.assertNoProblems();
        }
    }

    /** How many bytes everything that the page has loaded is, compressed. */
    @SuppressWarnings("unchecked")
    private static long compressedBytes(ConsolePage console) throws IOException {
        List<String> paths = (List<String>) console.page().evaluate("""
                () => ['/', ...performance.getEntriesByType('resource')
                  .map((each) => new URL(each.name).pathname).filter((path) => path.startsWith('/console/'))]""");
        long sum = 0;
        for (String path : Set.copyOf(paths)) {
            ByteArrayOutputStream bytes = new ByteArrayOutputStream();
            try (GZIPOutputStream gzip = new GZIPOutputStream(bytes)) {
                gzip.write(service.get(path).body().getBytes(StandardCharsets.UTF_8));
            }
            sum += bytes.size();
        }
        return sum;
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
            Page page = chromium.browser().newPage();
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

    @Test
    void activeUsers_downloads_haveWhatIsShown() throws IOException {
        try (ConsolePage console =
                desktop().noteDrawnTexts().open("#/users?by=MONTH").signIn(KEY)) {
            Page page = console.page();
            console.awaitText(".chart-card h2", "Active users by month");
            page.waitForSelector("flag-chart canvas[aria-label]");
            String users = page.textContent("tbody td.strong").strip();
            List<String> csv = Files.readAllLines(
                    page.waitForDownload(() -> page.click("text=CSV")).path());
            assertTrue(
                    csv.stream().anyMatch(line -> List.of(line.split(",", -1)).contains(users)),
                    () -> users + " is not in " + csv);
            console.forgetDrawnTexts();
            page.waitForDownload(() -> page.click("text=PNG"));
            assertTrue(
                    console.drawn().contains("Active users by month"),
                    () -> console.drawn().toString());
            console.assertNoProblems();

            page.route(
                    "**/v1/active_users**",
                    away -> away.fulfill(
                            new Route.FulfillOptions().setStatus(503).setBody("{\"detail\":\"PostgreSQL is away.\"}")));
            ConsolePage.hide(page, false);
            page.waitForFunction(
                    "() => [...document.querySelectorAll('.problem')].filter((each) => /^From before .+: PostgreSQL is away/.test(each.textContent)).length === 2");
            assertTrue(page.locator("flag-chart").isVisible(), "what was read stays");
        }
    }

    @Test
    void chart_arrowKeys_readItsValues() {
        try (ConsolePage console =
                desktop().open("#/flags/" + FLAG + "?range=7d&shape=share").signIn(KEY)) {
            Page page = console.page();
            page.waitForSelector("flag-chart canvas[aria-label]");
            page.focus(".canvas-box");
            page.keyboard().press("End");
            String last = page.textContent(".reading");
            assertTrue(last.contains("blue ") && last.contains("%") && last.contains("default 8.3%"), last);
            page.keyboard().press("ArrowLeft");
            String before = page.textContent(".reading");
            assertFalse(last.equals(before));
            page.keyboard().press("Control+End");
            assertEquals(before, page.textContent(".reading"), "with Control it is a key of the browser");
            page.keyboard().press("Escape");
            assertEquals("", page.textContent(".reading"));
            console.assertNoProblems();
        }
    }

    @Test
    void flag_hourPassesWithoutEvents_isReadAgain() {
        try (ConsolePage console = desktop()) {
            Page page = console.page();
            page.clock().install();
            console.open("#/flags/" + FLAG).signIn(KEY);
            page.waitForSelector("flag-chart canvas[aria-label]");
            page.waitForSelector(".status.live");
            page.waitForRequest(
                    "**/v1/evaluation_timeseries_count**", () -> page.clock().fastForward("01:00:00"));
        }
    }

    @Test
    void tabs_four_ofWhichThreeAreHidden_allLive() {
        try (ConsolePage console = desktop().open("#/overview").signIn(KEY)) {
            console.page().waitForSelector(".status.live");
            List<Page> behind = new ArrayList<>(List.of(console.page()));
            for (int i = 0; i < 3; i++) {
                Page page = console.newTab();
                ConsolePage.hide(behind.get(i), true);
                page.navigate(service.uri("/").toString());
                page.fill("#key", KEY);
                page.keyboard().press("Enter");
                page.waitForSelector(".status.live");
                page.waitForSelector(".flags tbody tr");
                behind.add(page);
            }
            send("tabs", "on", "anna", Instant.now());
            ConsolePage.hide(behind.get(3), true);
            ConsolePage.hide(console.page(), false);
            console.awaitText(".flags", "tabs");
            console.page().waitForSelector(".status.live");
        }
    }

    @Test
    void names_ofFlagsBeyondAPage_standFirstAndAreFound() {
        List<String> many = new ArrayList<>();
        for (int i = 0; i < 510; i++) {
            many.add(event("many-%03d".formatted(i), "on", "anna", Instant.now(), "RULE"));
        }
        register(many, 0);
        send("the-last", "on", "anna", Instant.now());
        HttpResponse<String> named = service.send(HttpRequest.newBuilder(service.uri("/v1/labels"))
                .header("authorization", KEY)
                .header("content-type", "application/json")
                .PUT(BodyPublishers.ofString("""
                        {"labels":[{"kind":"FLAG","id":"the-last","name":"Sidebar"},
                         {"kind":"VARIATION","featureId":"the-last","id":"on","name":"Unfolded"}]}""")));
        assertEquals(204, named.statusCode(), named::body);

        try (ConsolePage console = desktop().open("#/flags/the-last").signIn(KEY)) {
            Page page = console.page();
            console.awaitText("h1", "Sidebar");
            console.awaitText(".variations", "Unfolded");
            assertEquals("Sidebar · Flagtally", page.title());

            page.fill("#search", "the-la");
            console.awaitText("#found", "Sidebar");
            page.fill("#search", "no-such-flag");
            console.awaitText("#found", "No flag has this");
            console.go("#/overview");
            console.awaitText(".card-head .hint", " flags in all");
            assertTrue(number(page.textContent(".card-head .hint")) > 500);

            page.reload();
            page.waitForSelector(".flags tbody tr");
            page.fill("#search", "sideb");
            console.awaitText("#found", "the-last");
            console.assertNoProblems();
        }
    }

    @Test
    void eventSource_withATicket_isGivenTheSnapshot() {
        try (ConsolePage console = desktop().open("").signIn(KEY)) {
            Object first = console.page().evaluate("""
                    async ([key, flag]) => {
                      const answer = await fetch('/v1/live/tickets', { method: 'POST', headers: { authorization: key } });
                      const { ticket } = await answer.json();
                      const query = new URLSearchParams({ ticket, featureId: flag });
                      const source = new EventSource(`/v1/live/evaluation_counts?${query}`);
                      const event = await new Promise((done) => source.addEventListener('snapshot', done));
                      source.close();
                      return JSON.parse(event.data).flags[0].featureId;
                    }""", List.of(KEY, FLAG));
            assertEquals(FLAG, first);
            console.assertNoProblems();
        }
    }

    @Test
    void address_withALonePercentSign_showsAFlag() {
        try (ConsolePage console = desktop().open("#/flags/100%").signIn(KEY)) {
            console.awaitText("h1", "100%");
            console.assertNoProblems();
        }
    }

    private static ServiceProcess startService() {
        return ServiceProcess.in(DIRECTORY).port(PORT).ready();
    }

    private static ConsolePage desktop() {
        return desktop(ColorScheme.LIGHT);
    }

    private static ConsolePage desktop(ColorScheme colors) {
        return ConsolePage.in(chromium.browser(), service.uri(""), 1280, 860, colors);
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
        HttpResponse<String> answer = service.send(LiveEvents.request(service.uri(""), KEY, events));
        assertEquals(200, answer.statusCode(), answer::body);
        assertEquals(refused, answer.body().split("retriable", -1).length - 1, answer::body);
    }

    private static String event(String flag, String variation, String user, Instant time, String reason) {
        return LiveEvents.event(flag, variation, user, time.getEpochSecond(), reason);
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

    /** How many colours there are in the rows of a picture from {@code top} to {@code bottom}. */
    private static long colours(BufferedImage picture, int top, int bottom) {
        int height = bottom - top;
        return Arrays.stream(picture.getRGB(0, top, picture.getWidth(), height, null, 0, picture.getWidth()))
                .distinct()
                .count();
    }

    private static long number(String text) {
        return Long.parseLong(text.replaceAll("[^0-9]", ""));
    }
}
