package io.flagtally.platform.embedded;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.flagtally.testing.TestData;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

class DataDirectoryTest {

    private final Path path = TestData.newDirectory("data-directory");

    @Test
    void open_missingDirectory_isMade() {
        try (DataDirectory directory = DataDirectory.open(path.resolve("a").resolve("b"))) {
            assertTrue(Files.isRegularFile(directory.root().resolve(DataDirectory.VERSION_FILE)));
        }
    }

    @Test
    void open_whileOpen_refusedNamingTheHolder() {
        try (DataDirectory first = DataDirectory.open(path)) {
            String sentence = refusal(first.root());

            long pid = ProcessHandle.current().pid();
            assertTrue(sentence.contains("is in use by another Flagtally (process " + pid + ")"), sentence);
            assertTrue(sentence.contains("flagtally.embedded.data-dir"), sentence);
        }
    }

    @Test
    void open_afterClose_opens() {
        DataDirectory.open(path).close();

        try (DataDirectory again = DataDirectory.open(path)) {
            assertEquals(path, again.root());
        }
    }

    @Test
    void open_newerFormat_refused() throws IOException {
        writeVersion("format=" + (DataDirectory.FORMAT + 1) + "\n");

        String sentence = refusal(path);

        assertTrue(sentence.contains("was written by a newer Flagtally"), sentence);
        assertTrue(sentence.contains("start that newer version"), sentence);
    }

    @Test
    void open_formatOfThisBuild_opens() throws IOException {
        writeVersion("format=" + DataDirectory.FORMAT + "\n");

        DataDirectory.open(path).close();
    }

    @Test
    void open_versionFileOfNoFormat_refused() throws IOException {
        for (String content : new String[] {"", "format=\n", "format=one\n", "format=0\n", "format=\\u00zz\n"}) {
            writeVersion(content);

            String sentence = refusal(path);

            assertTrue(sentence.contains("is not readable"), sentence);
        }
    }

    @Test
    void open_versionFileOfOtherBytes_refused() throws IOException {
        Files.write(path.resolve(DataDirectory.VERSION_FILE), new byte[] {(byte) 0xff, (byte) 0xfe, 0, 1});

        assertTrue(refusal(path).contains("is not readable"));
    }

    @Test
    void open_directoryOfSomethingElse_refusedAndUntouched() throws IOException {
        Path precious = Files.writeString(path.resolve("thesis.txt"), "mine");

        String sentence = refusal(path);

        assertTrue(sentence.contains("was not made by Flagtally"), sentence);
        assertEquals("mine", Files.readString(precious));
        assertEquals(1, path.toFile().list().length);
    }

    @Test
    void open_belowAFile_refused() throws IOException {
        Path file = Files.writeString(path.resolve("file"), "");

        String sentence = refusal(file.resolve("data"));

        assertTrue(sentence.contains("cannot be read and written"), sentence);
    }

    private void writeVersion(String content) throws IOException {
        Files.writeString(path.resolve(DataDirectory.VERSION_FILE), content);
    }

    private static String refusal(Path path) {
        return String.valueOf(assertThrows(EmbeddedStartException.class, () -> DataDirectory.open(path))
                .getMessage());
    }
}
