package io.flagtally.testing;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.UUID;
import java.util.stream.Stream;

/** Where tests keep their data: below {@code target/test-data}, in a directory of this JVM. */
public final class TestData {

    private static final Path ROOT = Path.of("target", "test-data").toAbsolutePath();
    private static final Path OF_THIS_JVM =
            ROOT.resolve(String.valueOf(ProcessHandle.current().pid()));

    private TestData() {}

    /** The programs of the servers, shared by all tests. */
    public static Path binaries() {
        try {
            return Files.createDirectories(ROOT.resolve("bin")).toRealPath();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** A directory of this JVM with this name; made if it is missing. */
    public static Path directory(String name) {
        try {
            deleteOfEndedJvms();
            return Files.createDirectories(OF_THIS_JVM.resolve(name));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** A new empty directory of this JVM. */
    public static Path newDirectory(String prefix) {
        return directory(prefix + "-" + UUID.randomUUID());
    }

    private static void deleteOfEndedJvms() throws IOException {
        if (Files.exists(OF_THIS_JVM) || !Files.exists(ROOT)) {
            return;
        }
        try (Stream<Path> directories = Files.list(ROOT)) {
            directories.filter(TestData::isOfEndedJvm).forEach(TestData::delete);
        }
    }

    private static boolean isOfEndedJvm(Path directory) {
        String name = directory.getFileName().toString();
        return name.matches("[0-9]{1,9}")
                && ProcessHandle.of(Long.parseLong(name)).isEmpty();
    }

    /** Deletes what can be deleted; another JVM may be at the same work. */
    private static void delete(Path tree) {
        try (Stream<Path> paths = Files.walk(tree)) {
            paths.sorted(Comparator.reverseOrder()).forEach(path -> {
                boolean unused = path.toFile().delete();
            });
        } catch (IOException | UncheckedIOException goneMeanwhile) {
            return;
        }
    }
}
