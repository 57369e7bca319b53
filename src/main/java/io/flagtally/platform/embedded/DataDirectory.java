package io.flagtally.platform.embedded;

import java.io.IOException;
import java.io.Reader;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Properties;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * The directory of the embedded stores, held under a lock from {@link #open} to {@link #close}. The lock ends with the
 * process, however that ends. A directory that something else made, or a later Flagtally, is never touched.
 */
public final class DataDirectory implements AutoCloseable {

    /** The layout that this build reads and writes: PostgreSQL 18 and Redis 6. */
    static final int FORMAT = 1;

    static final String VERSION_FILE = "flagtally-data.properties";
    static final String LOCK_FILE = "lock";

    private static final String CHOOSE_ANOTHER = "choose another directory with flagtally.embedded.data-dir";
    private static final String PID_DIGITS = "[0-9]{1,19}";

    private final Path root;
    private final FileChannel lockFile;
    private final FileLock lock;

    private DataDirectory(Path root, FileChannel lockFile, FileLock lock) {
        this.root = root;
        this.lockFile = lockFile;
        this.lock = lock;
    }

    /**
     * Makes the directory if it is missing and takes its lock.
     *
     * @throws EmbeddedStartException if it is locked, of a later format, not a data directory, or cannot be read or written
     */
    public static DataDirectory open(Path path) {
        Path root = path.toAbsolutePath().normalize();
        try {
            Files.createDirectories(root);
            root = root.toRealPath();
            refuseForeign(root);
            DataDirectory directory = locked(root);
            try {
                directory.checkFormat();
                return directory;
            } catch (IOException | RuntimeException e) {
                directory.close();
                throw e;
            }
        } catch (IOException e) {
            throw new EmbeddedStartException(
                    "The data directory " + root + " cannot be read and written (" + reasonOf(e)
                            + "); give the user of this process access to it, or " + CHOOSE_ANOTHER + ".",
                    e);
        }
    }

    public Path root() {
        return root;
    }

    /** The directory {@code name} below the root; made if it is missing. */
    public Path sub(String name) {
        try {
            return Files.createDirectories(root.resolve(name));
        } catch (IOException e) {
            throw new EmbeddedStartException(
                    "The directory " + root.resolve(name) + " cannot be made (" + reasonOf(e) + ").", e);
        }
    }

    @Override
    public void close() {
        try {
            lock.release();
            lockFile.close();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** A word or two on why {@code e} happened, where its message is only a path. */
    static String reasonOf(IOException e) {
        String kind = e.getClass().getSimpleName();
        return e.getMessage() == null ? kind : kind + ": " + e.getMessage();
    }

    private static void refuseForeign(Path root) throws IOException {
        if (Files.exists(root.resolve(VERSION_FILE))) {
            return;
        }
        try (Stream<Path> entries = Files.list(root)) {
            if (entries.anyMatch(entry -> !entry.endsWith(LOCK_FILE))) {
                throw new EmbeddedStartException("The directory " + root
                        + " is not empty and was not made by Flagtally (it has no " + VERSION_FILE + "); "
                        + CHOOSE_ANOTHER + ".");
            }
        }
    }

    private static DataDirectory locked(Path root) throws IOException {
        FileChannel file = FileChannel.open(
                root.resolve(LOCK_FILE), StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE);
        FileLock lock = tryLock(file);
        if (lock == null) {
            String holder = holder(file);
            file.close();
            throw new EmbeddedStartException("The data directory " + root + " is in use by another Flagtally" + holder
                    + "; stop that one, or " + CHOOSE_ANOTHER + ".");
        }
        file.truncate(0);
        write(file, String.valueOf(ProcessHandle.current().pid()));
        return new DataDirectory(root, file, lock);
    }

    private static @Nullable FileLock tryLock(FileChannel file) throws IOException {
        try {
            return file.tryLock();
        } catch (OverlappingFileLockException heldByThisProcess) {
            return null;
        }
    }

    private static String holder(FileChannel file) throws IOException {
        ByteBuffer content = ByteBuffer.allocate(32);
        int read = file.read(content, 0);
        String pid = read <= 0 ? "" : new String(content.array(), 0, read, StandardCharsets.US_ASCII);
        return pid.matches(PID_DIGITS) ? " (process " + pid + ")" : "";
    }

    private static void write(FileChannel file, String text) throws IOException {
        ByteBuffer bytes = ByteBuffer.wrap(text.getBytes(StandardCharsets.US_ASCII));
        while (bytes.hasRemaining()) {
            int written = file.write(bytes);
            if (written < 0) {
                throw new IOException("the file ended while it was written");
            }
        }
    }

    private void checkFormat() throws IOException {
        Path file = root.resolve(VERSION_FILE);
        if (!Files.exists(file)) {
            Files.writeString(file, "# Made by Flagtally. Keep this file with the directory.\nformat=" + FORMAT + "\n");
            return;
        }
        int format = readFormat(file);
        if (format > FORMAT) {
            throw new EmbeddedStartException("The data directory " + root + " was written by a newer Flagtally (format "
                    + format + ", this one knows " + FORMAT + "); start that newer version, or " + CHOOSE_ANOTHER
                    + ".");
        }
    }

    private int readFormat(Path file) throws IOException {
        Properties properties = new Properties();
        try (Reader reader = Files.newBufferedReader(file, StandardCharsets.UTF_8)) {
            properties.load(reader);
            int format = Integer.parseInt(properties.getProperty("format", "").trim());
            if (format >= 1) {
                return format;
            }
            throw unreadable(file, null);
        } catch (IllegalArgumentException | CharacterCodingException e) {
            throw unreadable(file, e);
        }
    }

    private EmbeddedStartException unreadable(Path file, @Nullable Throwable cause) {
        return new EmbeddedStartException(
                "The data directory " + root + " is not readable: " + file.getFileName()
                        + " names no format; put a copy of the directory back, or " + CHOOSE_ANOTHER + ".",
                cause);
    }
}
