package io.flagtally.series;

import io.flagtally.platform.error.ErrorCode;
import io.flagtally.platform.error.RefusedException;
import java.time.DayOfWeek;
import java.time.LocalDate;
import java.time.YearMonth;
import java.time.format.DateTimeParseException;
import java.time.temporal.TemporalAdjusters;
import java.util.List;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.eclipse.microprofile.openapi.annotations.media.Schema;

/**
 * The steps for which active users are asked.
 *
 * @param from the date that the first step ends at or holds
 * @param to the date that the last step ends at or holds
 */
record ActivityRange(Step step, LocalDate from, LocalDate to) {

    /** Most steps in one answer that are read from sums. */
    private static final int STEPS_MAX = 400;

    /** Most steps in one answer that take a pass over users. */
    private static final int SPANS_MAX = 100;

    private static final int YEAR_MIN = 1970;
    private static final int YEAR_MAX = 9999;

    /** How long a step is. */
    @Schema(name = "ActiveUsersGranularity")
    enum Step {
        DAY,
        /** Monday to Sunday. */
        WEEK,
        MONTH,
        /** The 28 days that end with each day. */
        ROLLING_28,
        /** The 30 days that end with each day. */
        ROLLING_30
    }

    /**
     * Returns the range that a query names.
     *
     * @param from a date, or a month such as {@code 2026-11}
     * @param to the same; today if empty
     * @param granularity months if empty
     * @throws RefusedException if it is not a range of dates up to today, or too long
     */
    static ActivityRange parse(String from, String to, String granularity, LocalDate today) {
        ActivityRange range = new ActivityRange(
                step(granularity), date("from", from), to.isEmpty() ? today : earlier(lastDate(to), today));
        if (range.from.isAfter(range.to)) {
            throw refused("The range " + range.from + " to " + range.to + " is none; give from <= to, and from <= "
                    + today + ".");
        }
        int max = range.step == Step.DAY || range.step == Step.MONTH ? STEPS_MAX : SPANS_MAX;
        if (range.spans().limit(max + 1L).count() > max) {
            throw refused("The range " + range.from + " to " + range.to + " has more than " + max + " steps.");
        }
        return range;
    }

    /** Returns the dates of each step, oldest first. */
    List<DateSpan> steps() {
        return spans().toList();
    }

    /** Returns all dates of all steps. */
    DateSpan whole() {
        List<DateSpan> steps = steps();
        return new DateSpan(steps.get(0).from(), steps.get(steps.size() - 1).to());
    }

    private Stream<DateSpan> spans() {
        return switch (step) {
            case DAY -> each(from, day -> day.plusDays(1), day -> day);
            case WEEK ->
                each(
                        from.with(TemporalAdjusters.previousOrSame(DayOfWeek.MONDAY)),
                        monday -> monday.plusDays(7),
                        monday -> monday.plusDays(6));
            case MONTH ->
                each(
                        from.withDayOfMonth(1),
                        first -> first.plusMonths(1),
                        first -> YearMonth.from(first).atEndOfMonth());
            case ROLLING_28 -> rolling(28);
            case ROLLING_30 -> rolling(30);
        };
    }

    private Stream<DateSpan> each(LocalDate first, UnaryOperator<LocalDate> next, UnaryOperator<LocalDate> lastOfStep) {
        return Stream.iterate(first, start -> !start.isAfter(to), next)
                .map(start -> new DateSpan(start, lastOfStep.apply(start)));
    }

    private Stream<DateSpan> rolling(int days) {
        return each(from, day -> day.plusDays(1), day -> day)
                .map(day -> new DateSpan(day.to().minusDays(days - 1L), day.to()));
    }

    private static Step step(String text) {
        if (text.isEmpty()) {
            return Step.MONTH;
        }
        return Stream.of(Step.values())
                .filter(step -> step.name().equals(text))
                .findAny()
                .orElseThrow(
                        () -> refused("The granularity is unknown; give DAY, WEEK, MONTH, ROLLING_28 or ROLLING_30."));
    }

    private static LocalDate lastDate(String text) {
        return text.length() == 7 ? YearMonth.from(date("to", text)).atEndOfMonth() : date("to", text);
    }

    private static LocalDate earlier(LocalDate date, LocalDate other) {
        return date.isBefore(other) ? date : other;
    }

    private static LocalDate date(String name, String text) {
        try {
            LocalDate date = LocalDate.parse(text.length() == 7 ? text + "-01" : text);
            if (date.getYear() < YEAR_MIN || date.getYear() > YEAR_MAX) {
                throw refused("The parameter '" + name + "' is not within " + YEAR_MIN + " to " + YEAR_MAX + ".");
            }
            return date;
        } catch (DateTimeParseException e) {
            throw refused("The parameter '" + name + "' is not a date; give one such as 2026-11-21 or 2026-11.");
        }
    }

    private static RefusedException refused(String detail) {
        return new RefusedException(ErrorCode.INVALID_ARGUMENT, detail);
    }
}
