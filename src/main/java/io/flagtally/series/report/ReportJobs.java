package io.flagtally.series.report;

import com.fasterxml.jackson.databind.ObjectMapper;
import io.flagtally.event.EnvironmentId;
import io.flagtally.platform.config.TimeConfig;
import io.flagtally.platform.job.Job;
import io.flagtally.platform.job.JobGroup;
import io.flagtally.rollup.BucketCalendar;
import io.flagtally.series.ActiveUsersReader;
import io.flagtally.series.Label;
import io.flagtally.series.LabelStore;
import io.flagtally.series.MonthOfEnvironments;
import io.flagtally.series.PeriodActivity;
import io.smallrye.mutiny.Uni;
import io.vertx.core.Vertx;
import jakarta.inject.Inject;
import jakarta.inject.Singleton;
import java.time.InstantSource;
import java.time.YearMonth;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** The jobs that send the monthly report, one a webhook. */
@Singleton
public class ReportJobs implements JobGroup {

    /** Environments in one report. */
    private static final int ENVIRONMENTS_MAX = 1000;

    private final ActiveUsersReader users;
    private final LabelStore labels;
    private final BucketCalendar calendar;
    private final List<Job> jobs;

    @Inject
    ReportJobs(
            ActiveUsersReader users,
            LabelStore labels,
            ReportConfig config,
            TimeConfig time,
            Vertx vertx,
            InstantSource clock,
            ObjectMapper json) {
        this.users = users;
        this.labels = labels;
        calendar = new BucketCalendar(time.zone());
        ReportWebhook sender = new ReportWebhook(vertx, config, clock);
        jobs = config.webhooks().keySet().stream()
                .map(webhook -> new ReportJob(webhook, config, this::report, sender, calendar, clock, json))
                .map(Job.class::cast)
                .toList();
    }

    @Override
    public List<Job> jobs() {
        return jobs;
    }

    private Uni<MonthlyReport> report(YearMonth month) {
        return users.month(month, ENVIRONMENTS_MAX).chain(reading -> {
            List<EnvironmentId> environments =
                    reading.activity().stream().map(PeriodActivity::environment).toList();
            Uni<List<Label>> named =
                    environments.isEmpty() ? Uni.createFrom().item(List.of()) : labels.ofEnvironments(environments);
            return named.map(names -> report(month, reading, names));
        });
    }

    private MonthlyReport report(YearMonth month, MonthOfEnvironments reading, List<Label> labelled) {
        Map<String, String> names = new HashMap<>();
        labelled.forEach(label -> names.put(label.id(), label.name()));
        return new MonthlyReport(
                month,
                calendar.zone().getId(),
                reading.activity().stream()
                        .map(each -> new MonthlyReport.Environment(
                                each.environment().value(),
                                names.get(each.environment().value()),
                                each.users(),
                                each.events(),
                                each.open()))
                        .toList(),
                reading.leftOut());
    }
}
