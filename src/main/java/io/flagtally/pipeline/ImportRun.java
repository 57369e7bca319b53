package io.flagtally.pipeline;

import io.flagtally.codec.EventCodec;
import io.flagtally.codec.MalformedEventException;
import io.flagtally.event.EnvironmentId;
import io.flagtally.event.FlagEvent;
import io.flagtally.event.SourceId;
import io.flagtally.pipeline.ImportReport.End;
import io.flagtally.pipeline.ImportReport.LineError;
import io.flagtally.pipeline.ImportReport.Progress;
import io.flagtally.platform.error.ErrorCode;
import io.flagtally.rollup.BucketCalendar;
import io.flagtally.rollup.EventBatch;
import java.io.IOException;
import java.io.InputStream;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import java.util.zip.ZipException;
import org.jboss.logging.Logger;
import org.jspecify.annotations.Nullable;

/**
 * One import: reads lines, leaves out what was counted before, and writes the rest, recent events to all sinks and older
 * ones to those of long memory. Blocks its thread; a store that is away is waited for.
 *
 * <p>The same file again, whole or in part, changes nothing: sinks of short memory come first, so that what the long
 * memory knows they have counted. What they counted before an end in between they recognise for as long as the events
 * are recent enough to be written to them at all.
 */
final class ImportRun {

    private static final Logger LOG = Logger.getLogger(ImportRun.class);

    /** Events may be this far ahead, as at the other doors. */
    static final Duration AHEAD_MAX = Duration.ofHours(1);

    private static final long PROGRESS_EVERY_LINES = 20_000;

    /** Where events go. */
    record Targets(
            EventCodec codec,
            CountedBefore before,
            SinkFanOut recent,
            SinkFanOut longTerm,
            PatientRetry retry,
            BucketCalendar calendar) {}

    private final Targets targets;
    private final ImportConfig config;
    private final EnvironmentId environment;
    private final Instant now;
    private final Consumer<Object> report;

    private final Map<FlagEvent, Long> batch = new IdentityHashMap<>();
    private final List<FlagEvent> inOrder = new ArrayList<>();
    private final List<LineError> errors = new ArrayList<>();
    private final Map<ErrorCode, Long> refusedByCode = new EnumMap<>(ErrorCode.class);
    private long lines;
    private long counted;
    private long duplicates;
    private long refused;

    /** @param report takes progress while it runs, then the errors, then the end */
    ImportRun(Targets targets, ImportConfig config, EnvironmentId environment, Instant now, Consumer<Object> report) {
        this.targets = targets;
        this.config = config;
        this.environment = environment;
        this.now = now;
        this.report = report;
    }

    /** What is imported. */
    interface Body {
        InputStream open() throws IOException;
    }

    /** Imports {@code body} to its end, or until {@code cancelled}. Whatever happens, the report comes to its end. */
    void run(Body body, BooleanSupplier cancelled) {
        String failure = null;
        try {
            read(new BoundedLines(body.open(), config.lineBytesMax()), cancelled);
            write();
        } catch (ZipException e) {
            failure = "the body is no gzip, or damaged: " + e.getMessage();
        } catch (IOException e) {
            failure = "the body broke off: " + e.getMessage();
        } catch (RuntimeException e) {
            LOG.error("An import broke off", e);
            failure = "our fault; the log has the cause: " + e;
        }
        errors.forEach(report);
        report.accept(new End(
                failure == null,
                lines,
                counted,
                duplicates,
                refused,
                new HashMap<>(refusedByCode),
                refused - errors.size(),
                failure));
    }

    private void read(BoundedLines reader, BooleanSupplier cancelled) throws IOException {
        byte[] line = reader.next();
        while (line != null && !cancelled.getAsBoolean()) {
            lines++;
            take(line, reader.tooLong());
            line = reader.next();
        }
    }

    private void take(byte[] line, boolean tooLong) {
        if (tooLong) {
            refuse(lines, "", ErrorCode.TOO_LARGE, "the line is longer than " + config.lineBytesMax() + " bytes");
        } else {
            targets.codec().decode(line, environment, SourceId.UNKNOWN, new Reading());
        }
        if (inOrder.size() >= config.batchSize()) {
            write();
        }
        if (lines % PROGRESS_EVERY_LINES == 0) {
            report.accept(new Progress(lines, counted, duplicates, refused));
        }
    }

    private final class Reading implements EventCodec.Visitor {
        @Override
        public void event(FlagEvent event, int offset, int length) {
            if (event.time().isAfter(now.plus(AHEAD_MAX))) {
                refuse(lines, event.id().toString(), ErrorCode.EVENT_TIME_INVALID, "gateway: invalid event timestamp");
            } else {
                batch.put(event, lines);
                inOrder.add(event);
            }
        }

        @Override
        public void malformed(MalformedEventException fault, int offset, int length) {
            refuse(lines, fault.eventId(), fault.code(), fault.wireMessage());
        }
    }

    private void write() {
        if (inOrder.isEmpty()) {
            return;
        }
        List<FlagEvent> fresh = targets.retry()
                .until("the memory of imports", () -> targets.before().unknown(inOrder))
                .await()
                .indefinitely();
        Map<FlagEvent, RejectedEvent> rejected = new IdentityHashMap<>();
        Instant oldest = now.minus(config.recentAge());
        write(
                targets.recent(),
                fresh.stream().filter(event -> !event.time().isBefore(oldest)).toList(),
                rejected);
        write(targets.longTerm(), fresh, rejected);
        rejected.forEach((event, why) -> {
            @Nullable Long line = batch.get(event);
            refuse(line == null ? 0 : line, event.id().toString(), why.code(), why.detail());
        });
        counted += fresh.size() - rejected.size();
        duplicates += inOrder.size() - fresh.size();
        batch.clear();
        inOrder.clear();
    }

    private void write(SinkFanOut sinks, List<FlagEvent> events, Map<FlagEvent, RejectedEvent> rejected) {
        if (!events.isEmpty()) {
            sinks.write(EventBatch.of(targets.calendar(), events))
                    .await()
                    .indefinitely()
                    .forEach(each -> rejected.put(each.event(), each));
        }
    }

    private void refuse(long line, String id, ErrorCode code, String message) {
        refused++;
        refusedByCode.merge(code, 1L, Long::sum);
        if (errors.size() < config.errorsMax()) {
            errors.add(new LineError(line, id, code, message));
        }
    }
}
