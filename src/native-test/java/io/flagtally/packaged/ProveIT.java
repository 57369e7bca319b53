package io.flagtally.packaged;

import static org.junit.jupiter.api.Assertions.assertAll;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.flagtally.testing.TestData;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.awaitility.Awaitility;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** {@code prove} as its users run it, in surroundings that would send the service elsewhere. */
class ProveIT {

    private static final Duration PATIENCE = Duration.ofMinutes(10);
    private static final Path JAR = Path.of("target", "quarkus-app", "quarkus-run.jar");
    private static final Pattern SUM = Pattern.compile("all +([0-9,]+) +([0-9,]+) +([0-9,]+) +([0-9,]+) +([0-9,]+)");

    /** What a ledger says of all flags together. */
    private record Sum(long sent, long distinct, long counted, long lost, long doubled) {}

    /** A run that has ended. */
    private record Run(int exitCode, String said, List<Sum> sums, Set<ProcessHandle> children, Path temporary) {}

    @Test
    void prove_surroundingsOfAnOperator_provesAndLeavesNothing() throws Exception {
        Path directory = TestData.newDirectory("prove");
        String elsewhere = "flagtally:\n  redis:\n    url: redis://127.0.0.1:1\n  roles: [serve]\n";
        Files.writeString(directory.resolve("application.yaml"), elsewhere);
        Files.writeString(Files.createDirectory(directory.resolve("config")).resolve("application.yaml"), elsewhere);

        Run run = prove(directory, 300, 7);

        assertEquals(0, run.exitCode, run.said);
        Sum with = run.sums.get(0);
        Sum without = run.sums.get(1);
        assertAll(
                () -> assertEquals(7_500, with.distinct, run.said),
                () -> assertTrue(with.sent > with.distinct, run.said),
                () -> assertEquals(7_500, with.counted, run.said),
                () -> assertEquals(0, with.lost, run.said),
                () -> assertEquals(0, with.doubled, run.said),
                () -> assertTrue(without.doubled > 0, run.said),
                () -> assertTrue(run.said.contains("kill -9"), run.said));
        assertNothingLeft(run);
    }

    @Test
    void prove_tooFewRequestsForAFault_saysThatItProvesNothing() throws Exception {
        Run run = prove(TestData.newDirectory("prove"), 0, 7);

        assertEquals(1, run.exitCode, run.said);
        assertTrue(run.said.contains("this run proves nothing"), run.said);
        assertNothingLeft(run);
    }

    @Test
    void prove_serviceDoesNotComeBack_saysWhyAndEnds() throws Exception {
        Run run;
        try (PortThief thief = new PortThief()) {
            run = prove(TestData.newDirectory("prove"), 300, 7, thief);
        }

        assertEquals(1, run.exitCode, run.said);
        assertTrue(run.said.contains("The proof could not be made: the service ended with code 1:"), run.said);
        assertTrue(run.said.contains("cannot listen on"), run.said);
        assertFalse(run.said.contains("\tat "), run.said);
        assertNothingLeft(run);
    }

    /** Listens where the service did as soon as that is killed, and so before it is back. */
    private static final class PortThief implements Consumer<Process>, AutoCloseable {

        private static final Pattern PORT = Pattern.compile("-Dquarkus\\.http\\.port=([0-9]+)");

        private @Nullable ProcessHandle service;
        private @Nullable ServerSocket taken;
        private int port;

        @Override
        public void accept(Process prove) {
            ProcessHandle known = service;
            if (known == null) {
                prove.children().forEach(this::look);
            } else if (taken == null && !known.isAlive()) {
                try {
                    taken = new ServerSocket(port, 1, InetAddress.getLoopbackAddress());
                } catch (IOException e) {
                    throw new UncheckedIOException(e);
                }
            }
        }

        private void look(ProcessHandle child) {
            Matcher told = PORT.matcher(child.info().commandLine().orElse(""));
            if (told.find()) {
                service = child;
                port = Integer.parseInt(told.group(1));
            }
        }

        @Override
        public void close() throws IOException {
            if (taken != null) {
                taken.close();
            }
        }
    }

    private static void assertNothingLeft(Run run) throws IOException {
        assertTrue(run.children.size() > 2, "the service and its servers were seen");
        Awaitility.await()
                .atMost(Duration.ofSeconds(20))
                .until(() -> run.children.stream().noneMatch(ProcessHandle::isAlive));
        try (Stream<Path> left = Files.list(run.temporary)) {
            assertEquals(
                    List.of(),
                    left.filter(file -> file.getFileName().toString().startsWith("flagtally"))
                            .toList());
        }
    }

    private static Run prove(Path directory, int requests, long seed) throws Exception {
        return prove(directory, requests, seed, running -> {});
    }

    /** @param look called again and again while it runs */
    private static Run prove(Path directory, int requests, long seed, Consumer<Process> look) throws Exception {
        Path temporary = Files.createDirectory(directory.toAbsolutePath().resolve("temporary"));
        Path said = directory.resolve("said.log");
        ProcessBuilder command = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-Djava.io.tmpdir=" + temporary,
                        "-Dflagtally.prove.requests=" + requests,
                        "-Dflagtally.prove.seed=" + seed,
                        "-jar",
                        JAR.toAbsolutePath().toString(),
                        "prove")
                .directory(directory.toFile())
                .redirectErrorStream(true)
                .redirectOutput(said.toFile());
        command.environment().put("QUARKUS_PROFILE", "kafka");
        command.environment().put("KAFKA_BOOTSTRAP_SERVERS", "127.0.0.1:1");
        command.environment().put("FLAGTALLY_REDIS_URL", "redis://127.0.0.1:1");
        command.environment().put("FLAGTALLY_REDIS_TOPOLOGY", "cluster");
        command.environment().put("FLAGTALLY_ROLES", "serve");
        command.environment().put("FLAGTALLY_MIRROR_PUBLISH_TO", "foreign");
        Process process = command.start();
        try {
            Set<ProcessHandle> children = new HashSet<>();
            Awaitility.await()
                    .atMost(PATIENCE)
                    .pollInterval(Duration.ofMillis(200))
                    .until(() -> {
                        process.descendants().forEach(children::add);
                        look.accept(process);
                        return !process.isAlive();
                    });
            String text = Files.readString(said);
            return new Run(process.exitValue(), text, sums(text), children, temporary);
        } finally {
            process.destroy();
            boolean ended = process.waitFor(PATIENCE.toSeconds(), TimeUnit.SECONDS);
            assertTrue(ended, "prove does not end");
        }
    }

    private static List<Sum> sums(String said) {
        List<Sum> sums = new ArrayList<>();
        Matcher sum = SUM.matcher(said);
        while (sum.find()) {
            sums.add(new Sum(
                    number(sum.group(1)),
                    number(sum.group(2)),
                    number(sum.group(3)),
                    number(sum.group(4)),
                    number(sum.group(5))));
        }
        return sums;
    }

    private static long number(String text) {
        return Long.parseLong(text.replace(",", ""));
    }
}
