package io.flagtally;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.lang.ArchRule;
import com.tngtech.archunit.lang.EvaluationResult;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/** The house keeps its import table and its prohibitions, and each rule bites: a planted violation is found. */
class ArchitectureTest {

    private static final JavaClasses HOUSE = new ClassFileImporter().importPath(Path.of("target", "classes"));

    @Test
    void import_theHouse_findsItsClasses() {
        assertTrue(HOUSE.size() > 30, "only " + HOUSE.size() + " classes were found in target/classes");
    }

    @TestFactory
    Stream<DynamicTest> rule_theHouse_isKept() {
        return ArchitectureRules.ALL.entrySet().stream()
                .map(rule -> dynamicTest(rule.getKey(), () -> {
                    EvaluationResult result = rule.getValue().evaluate(HOUSE);
                    assertFalse(
                            result.hasViolation(),
                            () -> result.getFailureReport().toString());
                }));
    }

    @TestFactory
    Stream<DynamicTest> rule_plantedViolation_isFound() {
        return Stream.of(
                planted(
                        "table",
                        "a package that is not in the table",
                        "package io.flagtally.common; public class Planted {}"),
                planted("table", "the root package", "package io.flagtally; public class Planted {}"),
                planted(
                        "table",
                        "an adapter without a technology",
                        "package io.flagtally.store; public class Planted {}"),
                planted(
                        "table",
                        "codec imports pipeline",
                        "package io.flagtally.codec; class Planted { io.flagtally.pipeline.BatchSink sink; }"),
                planted(
                        "table",
                        "ingest imports rollup",
                        "package io.flagtally.ingest; class Planted { io.flagtally.rollup.TimeBucket bucket; }"),
                planted(
                        "table",
                        "platform imports a feature",
                        "package io.flagtally.platform; class Planted { io.flagtally.event.FlagId flag; }"),
                planted(
                        "table",
                        "a feature imports an adapter",
                        "package io.flagtally.series; class Planted { io.flagtally.store.redis.Adapter adapter; }",
                        "package io.flagtally.store.redis; public class Adapter {}"),
                planted(
                        "table",
                        "an adapter imports another adapter",
                        "package io.flagtally.store.s3; class Planted { io.flagtally.store.redis.Adapter adapter; }",
                        "package io.flagtally.store.redis; public class Adapter {}"),
                planted(
                        "table",
                        "an adapter imports a feature of which it implements no port",
                        "package io.flagtally.store.s3; class Planted { io.flagtally.series.FlagSeries series; }"),
                planted(
                        "table",
                        "a connector imports another connector",
                        "package io.flagtally.broker.one; class Planted { io.flagtally.broker.two.Other other; }",
                        "package io.flagtally.broker.two; public class Other {}"),
                planted(
                        "table",
                        "what connectors have in common imports a connector",
                        "package io.flagtally.broker; class Planted { io.flagtally.broker.two.Other other; }",
                        "package io.flagtally.broker.two; public class Other {}"),
                planted(
                        "table",
                        "pipeline knows of brokers",
                        "package io.flagtally.pipeline; class Planted { io.flagtally.broker.Carrier carrier; }"),
                planted(
                        "jdk-only",
                        "rollup imports a library",
                        "package io.flagtally.rollup; class Planted { io.smallrye.mutiny.Uni<String> uni; }"),
                planted(
                        "cycles",
                        "two packages of platform need each other",
                        "package io.flagtally.platform.one; public class One { io.flagtally.platform.two.Two two; }",
                        "package io.flagtally.platform.two; public class Two { io.flagtally.platform.one.One one; }"),
                planted(
                        "broker-clients",
                        "pipeline speaks to Kafka",
                        "package io.flagtally.pipeline; class Planted { org.apache.kafka.clients.Planted client; }",
                        "package org.apache.kafka.clients; public class Planted {}"),
                planted(
                        "broker-clients",
                        "pipeline is a connector",
                        "package io.flagtally.pipeline; class Planted {"
                                + " io.smallrye.reactive.messaging.connector.InboundConnector connector; }"),
                planted(
                        "redis",
                        "series speaks to Redis",
                        "package io.flagtally.series; class Planted { io.vertx.mutiny.redis.client.Redis redis; }"),
                planted(
                        "postgres",
                        "pipeline speaks to PostgreSQL",
                        "package io.flagtally.pipeline; class Planted { io.vertx.mutiny.sqlclient.Pool pool; }"),
                clock("java.time.Instant.now()"),
                clock("java.time.LocalDate.now()"),
                clock("java.time.ZonedDateTime.now(java.time.ZoneOffset.UTC)"),
                clock("java.time.Clock.systemUTC()"),
                clock("java.time.InstantSource.system()"),
                clock("System.currentTimeMillis()"),
                clock("new java.util.Date()"),
                clock("(java.util.function.Supplier<java.time.Instant>) java.time.Instant::now"),
                planted(
                        "config-property",
                        "a key without its interface",
                        "package io.flagtally.ingest; class Planted {"
                                + " @org.eclipse.microprofile.config.inject.ConfigProperty(name = \"a\") String a; }"),
                planted(
                        "config-mapping",
                        "keys under another prefix",
                        "package io.flagtally.ingest;"
                                + " @io.smallrye.config.ConfigMapping(prefix = \"door\") interface DoorConfig {}"),
                planted(
                        "sink-contract",
                        "a sink without a test of the contract",
                        "package io.flagtally.store.s3; class PlantedSink implements io.flagtally.pipeline.BatchSink {"
                                + " public String name() { return \"planted\"; }"
                                + " public io.smallrye.mutiny.Uni<io.flagtally.pipeline.BatchOutcome> write("
                                + "io.flagtally.rollup.EventBatch batch) { return null; } }"),
                planted("names", "a helper", "package io.flagtally.ingest; class DoorHelper {}"),
                planted("names", "an implementation", "package io.flagtally.ingest; class DoorImpl {}"));
    }

    @Test
    void clock_nanoTimeAndGivenClock_areAllowed() {
        JavaClasses classes = PlantedClasses.compile(
                List.of("package io.flagtally.ingest; class Planted { Object a = System.nanoTime();"
                        + " Object b(java.time.Clock c) { return java.time.LocalDate.now(c); }"
                        + " Object d(java.time.InstantSource s) { return s.instant(); } }"));

        EvaluationResult result = ArchitectureRules.CLOCK.evaluate(classes);

        assertFalse(result.hasViolation(), () -> result.getFailureReport().toString());
    }

    @Test
    void table_adapterOfAPort_mayImportWhatThePortSpeaksOf() {
        JavaClasses classes = PlantedClasses.compile(List.of(
                "package io.flagtally.store.s3; abstract class Planted implements io.flagtally.series.SeriesReader {"
                        + " io.flagtally.rollup.TimeBucket bucket; io.flagtally.event.FlagId flag; }"));

        EvaluationResult result = ArchitectureRules.TABLE.evaluate(classes);

        assertFalse(result.hasViolation(), () -> result.getFailureReport().toString());
    }

    @Test
    void table_connector_mayImportWhatConnectorsHaveInCommon() {
        JavaClasses classes = PlantedClasses.compile(List.of("package io.flagtally.broker.one; class Planted {"
                + " io.flagtally.broker.Carrier carrier; io.flagtally.codec.EventHeaders headers; }"));

        EvaluationResult result = ArchitectureRules.TABLE.evaluate(classes);

        assertFalse(result.hasViolation(), () -> result.getFailureReport().toString());
    }

    private static DynamicTest clock(String expression) {
        return planted(
                "clock",
                expression,
                "package io.flagtally.ingest; class Planted { Object time = " + expression + "; }");
    }

    private static DynamicTest planted(String rule, String what, String... sources) {
        return dynamicTest(rule + ": " + what, () -> {
            ArchRule checked = Objects.requireNonNull(ArchitectureRules.ALL.get(rule));
            JavaClasses classes = PlantedClasses.compile(List.of(sources));

            EvaluationResult result = checked.evaluate(classes);

            assertTrue(result.hasViolation(), "the rule did not find it");
        });
    }
}
