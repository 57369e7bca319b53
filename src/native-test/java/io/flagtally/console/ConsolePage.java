package io.flagtally.console;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.deque.html.axecore.playwright.AxeBuilder;
import com.deque.html.axecore.results.Rule;
import com.microsoft.playwright.Browser;
import com.microsoft.playwright.BrowserContext;
import com.microsoft.playwright.Page;
import com.microsoft.playwright.options.ColorScheme;
import com.microsoft.playwright.options.WaitForSelectorState;
import java.net.URI;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;

/** A tab with the console, which notes what went wrong in it: errors of the page, and requests to another host. */
final class ConsolePage implements AutoCloseable {

    private static final double PATIENCE_MILLIS = 60_000;
    private static final Set<String> GRAVE = Set.of("serious", "critical");

    private final BrowserContext context;
    private final Page page;
    private final URI service;
    private final List<String> problems = new CopyOnWriteArrayList<>();

    private ConsolePage(BrowserContext context, URI service) {
        this.context = context;
        this.service = service;
        this.page = context.newPage();
        page.setDefaultTimeout(PATIENCE_MILLIS);
        page.onConsoleMessage(message -> {
            if (Set.of("error", "warning").contains(message.type())) {
                problems.add(message.type() + ": " + message.text());
            }
        });
        page.onPageError(error -> problems.add("page error: " + error));
        context.onRequest(request -> {
            URI asked = URI.create(request.url());
            if (Set.of("http", "https", "ws", "wss").contains(asked.getScheme())
                    && !asked.getAuthority().equals(service.getAuthority())) {
                problems.add("request to another host: " + request.url());
            }
        });
    }

    static ConsolePage in(Browser browser, URI service, int width, int height, ColorScheme colors) {
        return new ConsolePage(
                browser.newContext(
                        options("en-GB").setViewportSize(width, height).setColorScheme(colors)),
                service);
    }

    /** A wide window of a reader with this language. */
    static ConsolePage of(Browser browser, URI service, String locale) {
        return new ConsolePage(browser.newContext(options(locale).setViewportSize(1280, 860)), service);
    }

    private static Browser.NewContextOptions options(String locale) {
        return new Browser.NewContextOptions().setLocale(locale).setAcceptDownloads(true);
    }

    /** Notes what is written on canvases from now on, for {@link #drawn}. */
    ConsolePage noteDrawnTexts() {
        page.addInitScript("""
                window.drawn = new Set();
                const fillText = CanvasRenderingContext2D.prototype.fillText;
                CanvasRenderingContext2D.prototype.fillText = function (text, ...where) {
                  window.drawn.add(text);
                  return fillText.call(this, text, ...where);
                };
                """);
        return this;
    }

    /** Forgets the texts that were drawn until now. */
    void forgetDrawnTexts() {
        page.evaluate("() => window.drawn.clear()");
    }

    @SuppressWarnings("unchecked")
    List<String> drawn() {
        return (List<String>) page.evaluate("() => [...window.drawn]");
    }

    /** Another tab of the same window. */
    Page newTab() {
        Page tab = context.newPage();
        tab.setDefaultTimeout(PATIENCE_MILLIS);
        return tab;
    }

    /** What the browser tells a page that is put behind others, or in front again. */
    static void hide(Page page, boolean hidden) {
        page.evaluate("""
                hidden => {
                  Object.defineProperty(document, 'hidden', { value: hidden, configurable: true });
                  document.dispatchEvent(new Event('visibilitychange'));
                }""", hidden);
    }

    Page page() {
        return page;
    }

    /** Opens an address of the console, such as {@code #/pipeline}, as a new visit. */
    ConsolePage open(String hash) {
        page.navigate(service + "/" + hash);
        return this;
    }

    ConsolePage signIn(String key) {
        page.fill("#key", key);
        page.keyboard().press("Enter");
        page.waitForSelector("header nav");
        return this;
    }

    /** Goes where a link of the console would lead. */
    void go(String hash) {
        page.evaluate("hash => { location.hash = hash; }", hash);
    }

    void awaitText(String selector, String text) {
        page.waitForFunction(
                "([selector, text]) => (document.querySelector(selector)?.textContent ?? '').includes(text)",
                List.of(selector, text));
    }

    /** What axe finds grave about what is shown; by {@code rules} only, if there are any. */
    List<String> barriers(String... rules) {
        AxeBuilder axe = new AxeBuilder(page);
        return (rules.length == 0 ? axe : axe.withRules(List.of(rules)))
                .analyze().getViolations().stream()
                        .filter(rule -> GRAVE.contains(rule.getImpact()))
                        .map(ConsolePage::sentence)
                        .toList();
    }

    /** How many pixels of the page lie beside the window. */
    int overhang() {
        return ((Number) page.evaluate(
                        "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"))
                .intValue();
    }

    void assertNoProblems() {
        assertEquals(List.of(), problems);
    }

    void awaitDetached(String selector) {
        page.waitForSelector(selector, new Page.WaitForSelectorOptions().setState(WaitForSelectorState.DETACHED));
    }

    void forgiveProblems() {
        problems.clear();
    }

    @Override
    public void close() {
        context.close();
    }

    private static String sentence(Rule rule) {
        return rule.getId() + ": " + rule.getHelp() + " at "
                + rule.getNodes().stream()
                        .map(node -> node.getTarget() + " " + node.getHtml())
                        .toList();
    }
}
