package io.flagtally.platform.job;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.flagtally.platform.config.RolesConfig;
import io.flagtally.testing.TestConfigs;
import io.smallrye.mutiny.Uni;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class JobScheduleTest {

    private static final Instant NOW = Instant.parse("2026-11-21T12:34:56Z");

    private final List<String> begun = new ArrayList<>();

    /** "a" never ends, "b" cannot even be begun. */
    private final JobLedger ledger = new JobLedger() {
        @Override
        public Uni<Optional<JobRun>> runOnce(Job job, String slot) {
            begun.add(job.name() + " " + slot);
            return switch (job.name()) {
                case "a" -> Uni.createFrom().nothing();
                case "b" -> throw new IllegalStateException("no");
                default -> Uni.createFrom().item(Optional.empty());
            };
        }

        @Override
        public Uni<List<JobRun>> last() {
            return Uni.createFrom().item(List.of());
        }
    };

    @Test
    void runDue_jobThatNeverEnds_keepsOnlyItself() {
        JobSchedule schedule = new JobSchedule(
                new Jobs(List.of(new Hourly("c"), new Hourly("a"), new Hourly("b")), List.of()),
                TestConfigs.of(RolesConfig.class, Map.of()),
                ledger,
                InstantSource.fixed(NOW));

        schedule.runDue();
        schedule.runDue();

        String slot = " 2026-11-21T12:00:00Z";
        assertEquals(List.of("a" + slot, "b" + slot, "c" + slot, "b" + slot, "c" + slot), begun);
    }

    private record Hourly(String name) implements Job {
        @Override
        public Optional<Duration> every() {
            return Optional.of(Duration.ofHours(1));
        }

        @Override
        public Uni<String> run() {
            return Uni.createFrom().item("done");
        }
    }
}
