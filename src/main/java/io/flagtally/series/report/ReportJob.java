package io.flagtally.series.report;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.flagtally.platform.job.Job;
import io.flagtally.rollup.BucketCalendar;
import io.flagtally.series.report.ReportConfig.Webhook;
import io.flagtally.series.report.ReportWebhook.Post;
import io.smallrye.mutiny.Uni;
import io.smallrye.mutiny.infrastructure.Infrastructure;
import java.io.IOException;
import java.net.URI;
import java.net.URISyntaxException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.time.Period;
import java.time.YearMonth;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.function.Function;
import org.jboss.logging.Logger;
import org.jspecify.annotations.Nullable;

/**
 * Sends the report of the last month to one webhook. A month is a slot, so that a missed first is caught up with, and what
 * a webhook took is not sent to it again, unless on demand.
 */
final class ReportJob implements Job {

    private static final Logger LOG = Logger.getLogger(ReportJob.class);
    private static final Set<String> SCHEMES = Set.of("https", "http");

    private final String webhook;
    private final Webhook destination;
    private final ReportConfig config;
    private final Function<YearMonth, Uni<MonthlyReport>> reports;
    private final ReportWebhook sender;
    private final BucketCalendar calendar;
    private final InstantSource clock;
    private final ObjectMapper json;

    @SuppressWarnings("TooManyParameters")
    ReportJob(
            String webhook,
            ReportConfig config,
            Function<YearMonth, Uni<MonthlyReport>> reports,
            ReportWebhook sender,
            BucketCalendar calendar,
            InstantSource clock,
            ObjectMapper json) {
        this.webhook = webhook;
        this.destination = Objects.requireNonNull(config.webhooks().get(webhook));
        this.config = config;
        this.reports = reports;
        this.sender = sender;
        this.calendar = calendar;
        this.clock = clock;
        this.json = json;
    }

    @Override
    public String name() {
        return "report-" + webhook;
    }

    @Override
    public Optional<Period> every() {
        return Optional.of(Period.ofMonths(1));
    }

    @Override
    public String slot(Instant now) {
        return monthBefore(now).toString();
    }

    @Override
    public Duration retryAfter() {
        return config.retryAfter();
    }

    @Override
    public Uni<String> run() {
        YearMonth month = monthBefore(clock.instant());
        return reports.apply(month)
                .chain(report -> Uni.createFrom()
                        .item(() -> post(report))
                        .runSubscriptionOn(Infrastructure.getDefaultWorkerPool())
                        .chain(post -> sender.send(post))
                        .replaceWith(() -> "sent the report of " + month + " on "
                                + report.environments().size() + " environments"));
    }

    private YearMonth monthBefore(Instant now) {
        return YearMonth.from(calendar.localDate(now)).minusMonths(1);
    }

    /** Reads files, so it blocks. */
    private Post post(MonthlyReport report) {
        String place = "flagtally.report.webhooks." + webhook;
        URI to = target(place);
        String key = UUID.nameUUIDFromBytes(
                        ("monthly_report " + report.month() + " " + webhook).getBytes(StandardCharsets.UTF_8))
                .toString();
        return new Post(to, key, bytes(report, key), secret(place));
    }

    /** What it says of a URL that is none does not repeat it: it may be a secret. */
    private URI target(String place) {
        String url = destination.urlFile().isPresent()
                ? content(place + ".url-file", destination.urlFile().get())
                : destination.url().map(URI::toString).orElse("");
        try {
            URI to = new URI(url);
            if (to.getHost() != null && SCHEMES.contains(String.valueOf(to.getScheme()))) {
                return to;
            }
        } catch (URISyntaxException e) {
            LOG.debugf("The report %s has no URL: %s", webhook, e.getReason());
        }
        throw new ReportRefusedException(
                "set " + place + ".url or " + place + ".url-file to a URL (https://… or http://…)", true, null);
    }

    private @Nullable String secret(String place) {
        return destination.secretFile().isPresent()
                ? content(place + ".secret-file", destination.secretFile().get())
                : destination.secret().orElse(null);
    }

    private byte[] bytes(MonthlyReport report, String key) {
        try {
            return json.writeValueAsBytes(destination.format().body(report, key));
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("a report cannot be written", e);
        }
    }

    private static String content(String place, Path file) {
        try {
            return Files.readString(file).strip();
        } catch (IOException e) {
            throw new ReportRefusedException(place + " cannot be read: " + e, true, e);
        }
    }
}
