package io.flagtally.platform.embedded;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.flagtally.platform.embedded.EmbeddedStores.Running;
import io.flagtally.platform.embedded.EmbeddedStores.Wanted;
import io.flagtally.testing.TestData;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;

class EmbeddedServersTest {

    private final Path directory = TestData.newDirectory("embedded");

    @Test
    void start_postgresWhoseFirstStartWasCutShort_beginsAgain() throws IOException {
        Path home = Files.createDirectories(directory.resolve("postgres"));
        Files.createDirectories(home.resolve("data").resolve("base"));
        Files.writeString(home.resolve("initializing"), "");
        writeVersion();

        try (Running running = new EmbeddedServers().start(postgres())) {
            assertTrue(running.postgresUrl().isPresent());
            assertTrue(running.redisUrl().isEmpty());
            assertFalse(Files.exists(home.resolve("initializing")));
        }
    }

    @Test
    void start_postgresOfAnotherVersion_refused() throws IOException {
        Path data = Files.createDirectories(directory.resolve("postgres").resolve("data"));
        Files.writeString(data.resolve("PG_VERSION"), "19\n");
        writeVersion();

        String sentence = refusal(postgres());

        assertTrue(sentence.contains("belongs to PostgreSQL 19"), sentence);
    }

    @Test
    void start_postgresWithUnreadableData_refusedWithoutWaiting() throws IOException {
        new EmbeddedServers().start(postgres()).close();
        Path control = directory.resolve("postgres/data/global/pg_control");
        Files.write(control, new byte[8192]);

        String sentence = refusal(postgres());

        assertTrue(sentence.contains("The embedded PostgreSQL does not come up"), sentence);
        assertTrue(sentence.contains("postgres.log"), sentence);
    }

    @Test
    void start_redisWithUnreadableData_refusedWithoutWaiting() throws IOException {
        Path home = Files.createDirectories(directory.resolve("redis"));
        Files.writeString(home.resolve("appendonly.aof"), "no such format\r\n\r\n");
        writeVersion();

        String sentence = refusal(redis());

        assertTrue(sentence.contains("The embedded Redis does not come up"), sentence);
        assertTrue(sentence.contains("Bad file format"), sentence);
    }

    @Test
    void start_leftoverServer_isEndedAndNotAdopted() throws IOException {
        Path binaries = Files.createDirectories(directory.resolve("bin")).toRealPath();
        Path home = Files.createDirectories(directory.resolve("redis"));
        writeVersion();
        ServerProcess leftover = EmbeddedRedis.start(home, binaries, LoopbackPort.free());

        try (Running running = new EmbeddedServers().start(new Wanted(directory, binaries, false, true))) {
            assertTrue(leftover.ended());
            assertTrue(running.redisUrl().isPresent());
        }
        assertEquals(List.of(), processesBelow(binaries));
    }

    @Test
    void start_pidFileThatNamesAnotherProcess_leavesThatProcessAlone() throws IOException {
        new EmbeddedServers().start(postgres()).close();
        Process stranger = new ProcessBuilder("sleep", "60").start();
        Files.writeString(directory.resolve("postgres/data/postmaster.pid"), stranger.pid() + "\n");

        try (Running running = new EmbeddedServers().start(postgres())) {
            assertTrue(running.postgresUrl().isPresent());
            assertTrue(stranger.isAlive());
        } finally {
            stranger.destroyForcibly();
        }
    }

    private void writeVersion() throws IOException {
        Files.writeString(directory.resolve(DataDirectory.VERSION_FILE), "format=" + DataDirectory.FORMAT + "\n");
    }

    private Wanted postgres() {
        return new Wanted(directory, TestData.binaries(), true, false);
    }

    private Wanted redis() {
        return new Wanted(directory, TestData.binaries(), false, true);
    }

    private static String refusal(Wanted wanted) {
        return String.valueOf(assertThrows(EmbeddedStartException.class, () -> new EmbeddedServers().start(wanted))
                .getMessage());
    }

    private static List<Long> processesBelow(Path binaries) {
        return ProcessHandle.allProcesses()
                .filter(handle -> new ServerProcess(handle).runsProgramBelow(binaries))
                .map(ProcessHandle::pid)
                .toList();
    }
}
