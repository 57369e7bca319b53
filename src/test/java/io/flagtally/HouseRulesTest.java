package io.flagtally;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import io.flagtally.platform.error.ErrorCode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;

/** The text of the house keeps its rules, and each rule bites: a planted violation is found. */
class HouseRulesTest {

    private static final Path HOUSE = Path.of("");
    private static final Path CONFIGURATION = Path.of("docs", "reference", "configuration.md");
    private static final boolean WRITE = Boolean.getBoolean("flagtally.docs.write");

    private static final Set<String> CODES = Arrays.stream(ErrorCode.values())
            .map(code -> code.name() + " " + code.httpStatus())
            .collect(Collectors.toSet());

    private static final Map<String, Function<Path, List<String>>> RULES = new TreeMap<>(Map.of(
            "package notes", HouseRules::packageInfos,
            "bucket alone", HouseRules::bucketAlone,
            "long files", HouseRules::longFiles,
            "unfinished", HouseRules::unfinished,
            "skipped tests", HouseRules::skippedTests,
            "shared folder", HouseRules::sharedFolder,
            "config ordinal", HouseRules::configOrdinal,
            "dead links", HouseRules::deadLinks,
            "metric reference", HouseRules::metricReference,
            "error reference", root -> HouseRules.errorReference(root, CODES)));

    @TestFactory
    Stream<DynamicTest> rule_theHouse_isKept() {
        return RULES.entrySet().stream()
                .map(rule -> dynamicTest(
                        rule.getKey(),
                        () -> assertEquals(List.of(), rule.getValue().apply(HOUSE))));
    }

    @TestFactory
    Stream<DynamicTest> rule_plantedViolation_isFound(@TempDir Path root) {
        String info = "/** <b>Owns</b> <b>Does not own</b> */ @NullMarked package a;";
        return Stream.of(
                planted(root, "package notes", "src/main/java/a/A.java", "class A {}"),
                planted(root, "package notes", "src/main/java/a/package-info.java", info),
                planted(root, "bucket alone", "src/main/java/a/Bucket.java", "record " + "Bucket() {}"),
                planted(root, "bucket alone", "src/main/java/a/DayBucket.java", "record " + "DayBucket() {}"),
                planted(root, "long files", "src/main/java/a/A.java", "\n".repeat(401)),
                planted(root, "unfinished", "src/main/java/a/A.java", "// TO" + "DO: later"),
                planted(root, "skipped tests", "src/test/java/a/ATest.java", "@Dis" + "abled class ATest {}"),
                planted(root, "shared folder", "src/main/java/a/A.java", "\"../sha" + "red/x\""),
                planted(root, "shared folder", "README.md", "see ../sha" + "red/x"),
                planted(root, "config ordinal", "application.yaml", "quarkus:\n"),
                planted(root, "dead links", "docs/a.md", "[b](b.md)"),
                planted(root, "metric reference", "src/main/java/a/A.java", "counter(\"flagtally.events.lost\")"),
                planted(root, "metric reference", "docs/reference/metrics.md", "| `flagtally.events.gone` | x |\n"),
                planted(root, "error reference", "docs/reference/errors.md", "| `MALFORMED` | 400 | x |\n"),
                planted(root, "error reference", "docs/reference/errors.md", everyCode() + "| `GONE` | 410 | x |\n"),
                planted(
                        root,
                        "error reference",
                        "docs/reference/errors.md",
                        everyCode().replace("404", "405")));
    }

    @Test
    void errorReference_everyCode_isKept(@TempDir Path root) throws IOException {
        write(root, "docs/reference/errors.md", everyCode());

        assertEquals(List.of(), HouseRules.errorReference(root, CODES));
    }

    @Test
    void configuration_reference_isWhatTheInterfacesSay() throws IOException {
        ConfigurationReference reference = ConfigurationReference.of(Path.of("src", "main", "java"));
        if (WRITE) {
            Files.writeString(CONFIGURATION, reference.markdown());
        }

        assertEquals(List.of(), reference.undocumented());
        assertEquals(
                reference.markdown(),
                Files.readString(CONFIGURATION),
                CONFIGURATION + " is old: ./mvnw test -Dtest=HouseRulesTest -Dflagtally.docs.write=true");
    }

    @Test
    void configuration_interface_becomesRows(@TempDir Path root) throws IOException {
        write(root, "DoorConfig.java", """
                /** The door. */
                @ConfigMapping(prefix = "flagtally.door")
                interface DoorConfig {
                    /** How wide. */
                    @WithDefault("25ms") Duration wideMax();
                    /** Inner doors. */
                    Map<String, Inner> inner();
                    interface Inner {
                        /** A {@code word}. */
                        Optional<String> word();
                        Set<Role> roles();
                    }
                }
                """);

        ConfigurationReference reference = ConfigurationReference.of(root);

        String markdown = reference.markdown();
        assertTrue(markdown.contains("| `flagtally.door.wide-max` | duration | `25ms` | How wide. |\n"), markdown);
        assertTrue(markdown.contains("| `flagtally.door.inner.<name>.word` | string | — | A `word`. |\n"), markdown);
        assertTrue(markdown.contains("| `flagtally.door.inner.<name>.roles` | list of role | required |"), markdown);
        assertEquals(List.of("flagtally.door.inner.<name>.roles has no doc line"), reference.undocumented());
    }

    @Test
    void applicationYaml_everyKeyItRefersTo_isDocumented() throws IOException {
        Matcher reference =
                Pattern.compile("\\$\\{(flagtally\\.[^:}]+)").matcher(Files.readString(Path.of("application.yaml")));
        List<String> referred = reference.results().map(found -> found.group(1)).toList();
        String documented = Files.readString(CONFIGURATION);

        assertFalse(referred.isEmpty());
        assertEquals(
                List.of(),
                referred.stream()
                        .filter(key -> !documented.contains("`" + key + "`"))
                        .toList());
    }

    private static String everyCode() {
        return CODES.stream()
                .map(code -> "| `" + code.replace(" ", "` | ") + " | x |\n")
                .collect(Collectors.joining());
    }

    private static DynamicTest planted(Path root, String rule, String file, String text) {
        return dynamicTest(rule + ": " + file, () -> {
            Path folder = Files.createTempDirectory(root, "planted");
            write(folder, file, text);

            List<String> broken = RULES.get(rule).apply(folder);

            assertFalse(broken.isEmpty(), "the rule did not find it");
        });
    }

    private static void write(Path root, String file, String text) throws IOException {
        Path path = root.resolve(file);
        Files.createDirectories(path.resolveSibling(""));
        Files.writeString(path, text);
    }
}
