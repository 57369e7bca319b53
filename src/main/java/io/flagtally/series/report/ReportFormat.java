package io.flagtally.series.report;

import java.time.format.DateTimeFormatter;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** How a report is worded for its receiver. */
public enum ReportFormat {
    /** An object with the numbers. */
    JSON {
        @Override
        Map<String, Object> body(MonthlyReport report, String idempotencyKey) {
            Map<String, Object> body = new LinkedHashMap<>();
            body.put("type", "monthly_report");
            body.put("id", idempotencyKey);
            body.put("month", report.month().toString());
            body.put("zone", report.zone());
            body.put("environments", report.environments());
            body.put("environmentsLeftOut", report.environmentsLeftOut());
            return body;
        }
    },
    /** A message for people. */
    SLACK {
        @Override
        Map<String, Object> body(MonthlyReport report, String idempotencyKey) {
            return Map.of("text", text(report));
        }
    };

    /** Environments in a message for people. */
    private static final int LINES_MAX = 50;

    private static final DateTimeFormatter MONTH = DateTimeFormatter.ofPattern("MMMM yyyy", Locale.ENGLISH);

    /** Returns what becomes the JSON body. */
    abstract Map<String, Object> body(MonthlyReport report, String idempotencyKey);

    private static String text(MonthlyReport report) {
        StringBuilder text = new StringBuilder("*Active users in ")
                .append(MONTH.format(report.month()))
                .append("* (")
                .append(report.zone())
                .append(')');
        List<MonthlyReport.Environment> all = report.environments();
        if (all.isEmpty()) {
            text.append("\nThere were no events.");
        }
        for (MonthlyReport.Environment environment : all.subList(0, Math.min(LINES_MAX, all.size()))) {
            text.append(String.format(
                    Locale.ENGLISH,
                    "%n\u2022 %s: %,d users, %,d events",
                    escaped(environment.shownName()),
                    environment.users() == null ? 0 : environment.users(),
                    environment.events()));
        }
        long more = Math.max(0, all.size() - LINES_MAX) + report.environmentsLeftOut();
        if (more > 0) {
            text.append("\nand ").append(more).append(" more environments");
        }
        return text.toString();
    }

    /** Slack reads these three as markup. */
    private static String escaped(String name) {
        return name.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;");
    }
}
