package io.flagtally.pipeline;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.flagtally.codec.BucketeerCodec;
import io.flagtally.event.EnvironmentId;
import io.flagtally.pipeline.ImportReport.End;
import io.flagtally.pipeline.ImportReport.Progress;
import io.flagtally.rollup.BucketCalendar;
import io.flagtally.testing.TestConfigs;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.smallrye.mutiny.Uni;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.SequenceInputStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.zip.GZIPInputStream;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.Test;

/** However an import ends, its report comes to its end and says so. */
class ImportRunTest {

    private static final Instant NOW = Instant.parse("2026-11-21T12:00:00Z");

    private final List<Object> report = new ArrayList<>();
    private CountedBefore before = events -> Uni.createFrom().item(events);

    @Test
    void run_bodyThatBreaksOff_countsWhatCameBatchByBatchAndSaysSo() {
        InputStream broken = new InputStream() {
            @Override
            public int read() throws IOException {
                throw new IOException("connection reset");
            }
        };

        End end = run(() -> new SequenceInputStream(new ByteArrayInputStream(lines(3)), broken));

        assertFalse(end.done());
        assertEquals("the body broke off: connection reset", end.failure());
        assertEquals(3, end.lines());
        assertEquals(2, end.counted(), "a batch is written when it is full");
    }

    @Test
    void run_bodyThatIsNoGzip_saysSo() {
        End end = run(() -> new GZIPInputStream(new ByteArrayInputStream(lines(3))));

        assertFalse(end.done());
        assertTrue(String.valueOf(end.failure()).startsWith("the body is no gzip"), end::toString);
    }

    @Test
    void run_gzipThatIsCutOrDamaged_saysSo() throws IOException {
        ByteArrayOutputStream packed = new ByteArrayOutputStream();
        try (GZIPOutputStream gzip = new GZIPOutputStream(packed)) {
            gzip.write(lines(200));
        }
        byte[] all = packed.toByteArray();
        byte[] damaged = all.clone();
        damaged[all.length - 6] ^= 1;

        End cut = run(() -> new GZIPInputStream(new ByteArrayInputStream(all, 0, all.length / 2)));
        End wrong = run(() -> new GZIPInputStream(new ByteArrayInputStream(damaged)));

        assertTrue(String.valueOf(cut.failure()).startsWith("the body broke off"), cut::toString);
        assertTrue(String.valueOf(wrong.failure()).startsWith("the body is no gzip, or damaged"), wrong::toString);
        assertEquals(
                200,
                run(() -> new GZIPInputStream(new ByteArrayInputStream(all))).counted());
    }

    @Test
    void run_failureOfOurs_endsTheReportTooAndNamesIt() {
        before = events -> {
            throw new IllegalStateException("out of its mind");
        };

        End end = run(() -> new ByteArrayInputStream(lines(3)));

        assertFalse(end.done());
        assertTrue(String.valueOf(end.failure()).contains("out of its mind"), end::toString);
    }

    @Test
    void run_manyLines_saysHowFarItIsBeforeTheBodyHasEnded() {
        List<Long> toldWhenTheLastLineWasRead = new ArrayList<>();
        InputStream end = new InputStream() {
            @Override
            public int read() {
                report.forEach(line -> toldWhenTheLastLineWasRead.add(((Progress) line).lines()));
                return -1;
            }
        };

        assertTrue(run(() -> new SequenceInputStream(new ByteArrayInputStream(lines(45_000)), end))
                .done());

        assertEquals(List.of(20_000L, 40_000L), toldWhenTheLastLineWasRead);
    }

    private End run(ImportRun.Body body) {
        report.clear();
        PatientRetry retry =
                new PatientRetry((delay, task) -> task.run(), Duration.ofMillis(1), Duration.ofMillis(1), () -> 0);
        SinkFanOut none = new SinkFanOut(List.of(), retry, new SimpleMeterRegistry());
        new ImportRun(
                        new ImportRun.Targets(
                                new BucketeerCodec(),
                                events -> before.unknown(events),
                                none,
                                none,
                                retry,
                                new BucketCalendar(ZoneOffset.UTC)),
                        TestConfigs.of(ImportConfig.class, Map.of("flagtally.import.batch-size", "2")),
                        EnvironmentId.DEFAULT,
                        NOW,
                        report::add)
                .run(body, () -> false);
        return (End) report.get(report.size() - 1);
    }

    private static byte[] lines(int count) {
        StringBuilder lines = new StringBuilder();
        for (int i = 0; i < count; i++) {
            lines.append("{\"id\":\"")
                    .append(new UUID(i << 16 | 0x4000, 1L << 63 | i))
                    .append("\",\"event\":{\"@type\":\"type.googleapis.com/bucketeer.event.client.EvaluationEvent\",")
                    .append("\"timestamp\":")
                    .append(NOW.getEpochSecond() - i)
                    .append(",\"featureId\":\"flag\",\"variationId\":\"v\",\"userId\":\"u")
                    .append(i % 7)
                    .append("\",\"reason\":{\"type\":\"RULE\"},\"sourceId\":\"WEB\"}}\n");
        }
        return lines.toString().getBytes(StandardCharsets.UTF_8);
    }
}
