package io.flagtally;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** The rules of the house that concern its text. Each returns what breaks it, one sentence each, under a root folder. */
final class HouseRules {

    private static final int LINES_MAX = 400;
    private static final List<String> SOURCES = List.of("src/main", "src/test", "src/native-test");
    private static final Pattern TYPE = Pattern.compile("\\b(?:class|interface|enum|record)\\s+(\\w*Buckets?)\\b");
    private static final Pattern CODE_ROW = Pattern.compile("(?m)^\\| `([A-Z_]+)` \\| (\\d{3}) \\|");

    private static final Pattern LINK = Pattern.compile("\\]\\(([^)#]+)(?:#[^)]*)?\\)");
    private static final Pattern METRIC =
            Pattern.compile("\"(flagtally\\.(?:events|pipeline|ingest|broker|redis|series|live|store)\\.[a-z_.]+)\"");
    private static final Pattern METRIC_ROW = Pattern.compile("(?m)^\\| `(flagtally\\.[a-z_.]+)` \\|");

    private HouseRules() {}

    static List<String> packageInfos(Path root) {
        List<String> broken = new ArrayList<>();
        Set<Path> packages = new TreeSet<>();
        java(root, "src/main").forEach(file -> packages.add(parentOf(file)));
        for (Path folder : packages) {
            Path info = folder.resolve("package-info.java");
            if (!Files.exists(info)) {
                broken.add(folder + " has no package-info.java");
                continue;
            }
            String text = read(info);
            for (String part : List.of("<b>Owns</b>", "<b>Does not own</b>", "<b>Invariants</b>", "@NullMarked")) {
                if (!text.contains(part)) {
                    broken.add(info + " does not say " + part);
                }
            }
        }
        return broken;
    }

    static List<String> bucketAlone(Path root) {
        return matches(root, SOURCES, TYPE).stream()
                .filter(found -> !found.matches(".*: .*\\b(TimeBucket|HashBucket)s?"))
                .toList();
    }

    static List<String> longFiles(Path root) {
        return java(root, "src/main")
                .filter(file -> read(file).lines().count() > LINES_MAX)
                .map(file -> file + " has more than " + LINES_MAX + " lines; which second noun lives in it?")
                .toList();
    }

    static List<String> unfinished(Path root) {
        return matches(root, SOURCES, Pattern.compile("\\b(TO" + "DO|FIX" + "ME|XX" + "X)\\b"));
    }

    static List<String> skippedTests(Path root) {
        return matches(
                root,
                List.of("src/test", "src/native-test"),
                Pattern.compile("@Dis" + "abled|@Ig" + "nore\\b|assume[TF]\\w+\\("));
    }

    static List<String> sharedFolder(Path root) {
        List<String> broken = new ArrayList<>(
                matches(root, List.of("src/main", "kubernetes", "docs"), Pattern.compile("\\.\\./sha" + "red")));
        for (String file : List.of("pom.xml", "README.md", "application.yaml", "CONTRIBUTING.md", "CHANGELOG.md")) {
            Path path = root.resolve(file);
            if (Files.exists(path) && read(path).contains("../sha" + "red")) {
                broken.add(path + " names a folder that users do not have");
            }
        }
        return broken;
    }

    static List<String> configOrdinal(Path root) {
        Path file = root.resolve("application.yaml");
        return read(file).startsWith("config_ordinal: 260\n")
                ? List.of()
                : List.of(file + " must begin with config_ordinal: 260, or it beats -D and the environment");
    }

    /** Checks that what the documentation links to inside the repository is there. */
    static List<String> deadLinks(Path root) {
        List<Path> pages = new ArrayList<>(files(root, "docs").toList());
        Stream.of("README.md", "CONTRIBUTING.md")
                .map(root::resolve)
                .filter(Files::exists)
                .forEach(pages::add);
        List<String> broken = new ArrayList<>();
        for (Path page : pages) {
            LINK.matcher(read(page))
                    .results()
                    .map(found -> found.group(1))
                    .filter(target -> !target.contains("://") && !Files.exists(page.resolveSibling(target)))
                    .forEach(target -> broken.add(page + " links to " + target + ", which is not there"));
        }
        return broken;
    }

    /** Checks that the reference of metrics names those of the sources, and no others. */
    static List<String> metricReference(Path root) {
        Set<String> used = new TreeSet<>();
        java(root, "src/main")
                .forEach(file -> METRIC.matcher(read(file)).results().forEach(found -> used.add(found.group(1))));
        String configuration = readIfThere(root.resolve("docs/reference/configuration.md"));
        used.removeIf(name -> configuration.contains("`" + name + "`") || configuration.contains("## " + name + "\n"));
        Set<String> documented = new TreeSet<>();
        METRIC_ROW
                .matcher(readIfThere(root.resolve("docs/reference/metrics.md")))
                .results()
                .forEach(found -> documented.add(found.group(1)));
        return differences(used, documented, "metric");
    }

    /** Checks that the reference of error codes names exactly {@code codes}, each as {@code NAME 404}. */
    static List<String> errorReference(Path root, Set<String> codes) {
        Set<String> documented = new TreeSet<>();
        Matcher row = CODE_ROW.matcher(read(root.resolve("docs/reference/errors.md")));
        while (row.find()) {
            documented.add(row.group(1) + " " + row.group(2));
        }
        return differences(codes, documented, "code");
    }

    private static List<String> differences(Set<String> real, Set<String> documented, String what) {
        List<String> broken = new ArrayList<>();
        real.stream().filter(name -> !documented.contains(name)).forEach(name -> broken.add("not documented: " + name));
        documented.stream()
                .filter(name -> !real.contains(name))
                .forEach(name -> broken.add("no such " + what + ": " + name));
        return broken;
    }

    private static List<String> matches(Path root, List<String> folders, Pattern pattern) {
        List<String> found = new ArrayList<>();
        for (String folder : folders) {
            for (Path file : files(root, folder).toList()) {
                Matcher matcher = pattern.matcher(read(file));
                while (matcher.find()) {
                    found.add(file + ": " + matcher.group());
                }
            }
        }
        return found;
    }

    private static Stream<Path> java(Path root, String folder) {
        return files(root, folder).filter(file -> file.toString().endsWith(".java"));
    }

    private static Stream<Path> files(Path root, String folder) {
        Path top = root.resolve(folder);
        if (!Files.isDirectory(top)) {
            return Stream.of();
        }
        try (Stream<Path> walk = Files.walk(top)) {
            return walk
                    .filter(Files::isRegularFile)
                    .filter(file ->
                            file.toString().matches(".*\\.(java|yaml|yml|properties|sql|lua|md|html|js|ts|sh|json)"))
                    .filter(file -> !file.toString().contains("node_modules"))
                    .sorted()
                    .toList()
                    .stream();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static Path parentOf(Path file) {
        return file.resolveSibling("");
    }

    private static String readIfThere(Path file) {
        return Files.exists(file) ? read(file) : "";
    }

    private static String read(Path file) {
        try {
            return Files.readString(file);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
