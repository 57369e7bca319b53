package io.flagtally.platform;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.Test;

/** The files of the console as the artifact carries them. */
class ConsoleAssetsTest {

    private static final int COMPRESSED_BYTES_MAX = 400 * 1024;
    private static final Path ROOT = Path.of("target", "classes", "META-INF", "resources");
    private static final Pattern REFERENCE = Pattern.compile("(?:src|href)=\"(/console/[^\"]+)\"");
    private static final Pattern IMPORT = Pattern.compile("(?m)^import .*?'(\\.[^']+)';|src = '(/console/[^']+)'");

    @Test
    void assets_compressed_areSmall() {
        long bytes = assets().stream().mapToLong(ConsoleAssetsTest::compressed).sum();

        System.out.printf("The console: %d files, %,d bytes compressed%n", assets().size(), bytes);
        assertTrue(bytes < COMPRESSED_BYTES_MAX, () -> bytes + " bytes compressed");
    }

    @Test
    void page_scriptsAndStyles_areFilesOfItsOwn() throws IOException {
        String page = Files.readString(ROOT.resolve("index.html"));

        assertFalse(page.contains("<style"), "styles stand in files");
        assertFalse(Pattern.compile("<script(?![^>]*\\bsrc=)").matcher(page).find(), "scripts stand in files");
        assertFalse(Pattern.compile("\\son\\w+=|style=").matcher(page).find(), "no handler, no style in the page");
    }

    @Test
    void references_all_leadToFilesOfTheArtifact() throws IOException {
        Set<String> missing = new TreeSet<>();
        Matcher page = REFERENCE.matcher(Files.readString(ROOT.resolve("index.html")));
        int found = 0;
        for (; page.find(); found++) {
            note(missing, ROOT.resolve(page.group(1).substring(1)));
        }
        for (Path script : assets().stream()
                .filter(file ->
                        file.toString().endsWith(".js") && !file.toString().contains("/lib/"))
                .toList()) {
            Matcher imports = IMPORT.matcher(Files.readString(script));
            for (; imports.find(); found++) {
                String target = imports.group(1);
                note(
                        missing,
                        target != null
                                ? script.resolveSibling(target)
                                : ROOT.resolve(imports.group(2).substring(1)));
            }
        }

        assertEquals(Set.of(), missing);
        assertTrue(found > 20, "references were looked for and found: " + found);
    }

    private static void note(Set<String> missing, Path file) {
        if (!Files.isRegularFile(file)) {
            missing.add(file.normalize().toString());
        }
    }

    private static List<Path> assets() {
        try (Stream<Path> files = Files.walk(ROOT)) {
            return files.filter(Files::isRegularFile).toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static long compressed(Path file) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (GZIPOutputStream gzip = new GZIPOutputStream(bytes)) {
            Files.copy(file, gzip);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return bytes.size();
    }
}
