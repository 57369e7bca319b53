package io.flagtally.sdk;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.flagtally.packaged.ServiceProcess;
import io.flagtally.platform.embedded.LoopbackPort;
import io.flagtally.testing.TestData;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/**
 * The JavaScript SDK initialises against the packaged service, and its evaluations are counted. Without Node.js or its
 * packages there is nothing to run, which is a failure where {@code CI=true}.
 */
class JsSdkIT {

    private static final Path RUN =
            Path.of("src", "native-test", "js-sdk", "run").toAbsolutePath();
    private static final int CANNOT_RUN_HERE = 77;

    private final Path directory = TestData.newDirectory("js-sdk");

    @Test
    void sdk_serviceWithoutFlagServer_countsDefaults() throws Exception {
        try (ServiceProcess service = ServiceProcess.in(directory).ready()) {
            runSdk(service, List.of());
        }
    }

    @Test
    void sdk_serviceBeforeAFlagServer_countsWhatItServes() throws Exception {
        int flagServer = LoopbackPort.free();
        try (ServiceProcess service = ServiceProcess.in(directory)
                .with("-Dflagtally.evaluations.upstream=http://127.0.0.1:" + flagServer)
                .ready()) {
            runSdk(service, List.of(String.valueOf(flagServer)));
        }
    }

    private static void runSdk(ServiceProcess service, List<String> flagServerPort)
            throws IOException, InterruptedException {
        List<String> command =
                new ArrayList<>(List.of(RUN.toString(), service.uri("").toString(), "local"));
        command.addAll(flagServerPort);
        Process sdk = new ProcessBuilder(command).redirectErrorStream(true).start();
        String output = new String(sdk.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertTrue(sdk.waitFor(60, TimeUnit.SECONDS), output);

        boolean needed = "true".equals(System.getenv("CI"));
        if (sdk.exitValue() == CANNOT_RUN_HERE && !needed) {
            System.out.println("The JavaScript SDK was not run: " + output);
            return;
        }
        assertEquals(0, sdk.exitValue(), () -> output + "\n" + service.log());
        assertTrue(output.contains("its evaluations are counted"), output);
    }
}
