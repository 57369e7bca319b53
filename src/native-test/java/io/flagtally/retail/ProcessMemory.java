package io.flagtally.retail;

import io.flagtally.packaged.ServiceProcess;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** What processes take of the machine's memory, as Linux says. */
final class ProcessMemory {

    private static final long KIB = 1024;

    private ProcessMemory() {}

    /** Resident bytes of one process; pages shared with others count in full. */
    static long resident(long pid) throws IOException {
        return field(Path.of("/proc", String.valueOf(pid), "status"), "VmRSS:");
    }

    /** Bytes of a service, its children and its embedded servers; a page that several share counts once. */
    static long together(ServiceProcess service) throws IOException {
        ProcessHandle jvm = ProcessHandle.of(service.pid()).orElseThrow();
        Set<ProcessHandle> processes =
                Stream.concat(jvm.descendants(), service.servers().stream()).collect(Collectors.toSet());
        long sum = proportional(jvm.pid());
        for (ProcessHandle process : processes) {
            sum += process.isAlive() ? proportional(process.pid()) : 0;
        }
        return sum;
    }

    private static long proportional(long pid) throws IOException {
        return field(Path.of("/proc", String.valueOf(pid), "smaps_rollup"), "Pss:");
    }

    private static long field(Path file, String name) throws IOException {
        return Files.readAllLines(file).stream()
                        .filter(line -> line.startsWith(name))
                        .map(line -> line.replaceAll("\\D", ""))
                        .mapToLong(Long::parseLong)
                        .findFirst()
                        .orElseThrow(() -> new IOException(file + " does not say " + name))
                * KIB;
    }
}
