package io.flagtally.console;

import com.microsoft.playwright.Browser;
import com.microsoft.playwright.BrowserContext;
import com.microsoft.playwright.Page;
import com.microsoft.playwright.options.ColorScheme;
import io.flagtally.packaged.ServiceProcess;
import io.flagtally.testing.TestData;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;

/**
 * Takes the pictures of the documentation, all of one demo: {@code ./mvnw -q -Ppictures test-compile exec:java}, after
 * {@code ./mvnw -Dquick package}. With the address of a demo that runs, and a folder, as arguments it takes those of that
 * one; without, it starts a demo of its own, and stops its stores and then the service for the last pictures.
 */
public final class ConsolePictures {

    private static final String KEY = "demo";
    private static final String LIVE = ".status.live";
    private static final String CHART = "flag-chart canvas[aria-label]";

    private static final String NAME = "Demo shop";

    /** The history of a demo is some millions of events. */
    private static final double HISTORY_MILLIS = 1_800_000;

    /** What the pages show moves meanwhile, and so does what is live. */
    private static final double SETTLE_MILLIS = 4_000;

    private record Shot(String name, String hash, String shown) {}

    private record Look(String name, int width, int height, ColorScheme colors) {}

    private static final List<Shot> SHOTS = List.of(
            new Shot("overview", "#/overview", ".flags tbody tr:nth-child(5) spark-line path"),
            new Shot("flag", "#/flags/checkout-flow", CHART),
            new Shot("flag-stacked", "#/flags/recommendations?range=7d&shape=areas", CHART),
            new Shot("flag-share", "#/flags/new-search?range=30d&shape=share", CHART),
            new Shot("active-users", "#/users", CHART),
            new Shot("pipeline", "#/pipeline", ".trust tbody tr"),
            new Shot("test-event", "#/send", ".moving .value"),
            new Shot("empty", "#/flags/never-seen", ".state.empty"));

    private static final List<Look> LOOKS = Stream.of(ColorScheme.LIGHT, ColorScheme.DARK)
            .flatMap(colors -> Stream.of(
                    new Look("desktop-" + colors.name().toLowerCase(Locale.ROOT), 1280, 860, colors),
                    new Look("phone-" + colors.name().toLowerCase(Locale.ROOT), 390, 844, colors)))
            .toList();

    private final Browser browser;
    private final URI service;
    private final Path folder;

    private ConsolePictures(Browser browser, URI service, Path folder) {
        this.browser = browser;
        this.service = service;
        this.folder = folder;
    }

    /** @param arguments nothing, or the address of a running demo, and a folder if it is not that of the documentation */
    public static void main(String[] arguments) throws IOException {
        Path folder = Path.of(arguments.length > 1 ? arguments[1] : "docs/screenshots");
        Files.createDirectories(folder);
        try (Chromium chromium = Chromium.launch()) {
            Browser browser = chromium.browser();
            if (arguments.length > 0) {
                new ConsolePictures(browser, URI.create(arguments[0]), folder).views();
                return;
            }
            try (ServiceProcess demo = ServiceProcess.in(TestData.newDirectory("pictures"))
                    .with("-Dflagtally.demo=true")
                    .ready()) {
                ConsolePictures pictures = new ConsolePictures(browser, demo.uri(""), folder);
                pictures.settle();
                pictures.views();
                pictures.troubles(demo);
            }
        }
    }

    /** Waits until the history of the demo is whole; until then the name of the environment says how far it is. */
    private void settle() {
        try (BrowserContext tab = browser.newContext()) {
            Page page = open(tab, "#/overview");
            page.waitForFunction(
                    """
                    async ([key, name]) => {
                      const answer = await fetch('/v1/environments', { headers: { authorization: key } });
                      return (await answer.json()).environments[0]?.name === name;
                    }""",
                    List.of(KEY, NAME),
                    new Page.WaitForFunctionOptions().setTimeout(HISTORY_MILLIS).setPollingInterval(SETTLE_MILLIS));
        }
    }

    private void views() {
        for (Look look : LOOKS) {
            try (BrowserContext tab = context(look)) {
                Page page = tab.newPage();
                page.navigate(service.toString());
                page.waitForSelector("#key");
                save(page, "sign-in", look);
            }
            for (Shot shot : SHOTS) {
                try (BrowserContext tab = context(look)) {
                    Page page = open(tab, shot.hash());
                    page.waitForSelector(shot.shown());
                    page.waitForSelector(LIVE);
                    page.waitForFunction("() => !document.querySelector('.spinner')");
                    page.waitForTimeout(SETTLE_MILLIS);
                    save(page, shot.name(), look);
                }
            }
        }
    }

    /** What the console says when a store does not answer, and when the service is gone. */
    private void troubles(ServiceProcess demo) {
        Look look = LOOKS.get(0);
        try (BrowserContext tab = context(look)) {
            Page page = open(tab, "#/flags/checkout-flow");
            page.waitForSelector(CHART);
            page.waitForSelector(LIVE);
            try (PausedServer unused = PausedServer.of(demo, "redis-server")) {
                page.waitForSelector(".status.stale");
                save(page, "stale", look);
            }
            page.waitForSelector(LIVE);
            demo.stop();
            page.waitForSelector(".status.lost");
            save(page, "lost", look);
        }
    }

    private BrowserContext context(Look look) {
        return browser.newContext(new Browser.NewContextOptions()
                .setViewportSize(look.width(), look.height())
                .setColorScheme(look.colors())
                .setLocale("en-GB"));
    }

    private Page open(BrowserContext tab, String hash) {
        Page page = tab.newPage();
        page.navigate(service + "/" + hash);
        page.fill("#key", KEY);
        page.keyboard().press("Enter");
        page.waitForSelector("header nav");
        return page;
    }

    private void save(Page page, String name, Look look) {
        page.screenshot(new Page.ScreenshotOptions()
                .setPath(folder.resolve(name + "-" + look.name() + ".png"))
                .setFullPage(true));
    }
}
