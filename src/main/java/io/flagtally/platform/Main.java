package io.flagtally.platform;

import io.flagtally.platform.embedded.EmbeddedStartException;
import io.flagtally.platform.embedded.EmbeddedStores.Running;
import io.quarkus.runtime.annotations.QuarkusMain;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.util.Optional;

/**
 * The start of the process: first the stores that are not configured, then the application. At the end the application
 * drains first, and the stores stop after it.
 */
@QuarkusMain
public final class Main {

    /** Dev mode calls {@link #main} at every reload, from new classes in the same JVM; the stores run on. */
    private static final String STARTED = "flagtally.started";

    private static final int FAILED = 1;

    private Main() {}

    public static void main(String... args) {
        if (System.getProperty(STARTED) == null) {
            try {
                prepare();
            } catch (EmbeddedStartException e) {
                System.err.println(e.getMessage());
                System.exit(FAILED);
            }
            System.setProperty(STARTED, "true");
        }
        ApplicationRun.run(args);
    }

    private static void prepare() {
        StartConfig config = StartConfig.read();
        requireFreePort(config);
        Optional<Running> stores = StoresOfThisProcess.start(config);
        stores.ifPresent(ApplicationRun::closeAfterwards);
    }

    /** Found out before the stores start, which takes seconds. */
    private static void requireFreePort(StartConfig config) {
        try (ServerSocket socket = new ServerSocket()) {
            socket.setReuseAddress(true);
            socket.bind(new InetSocketAddress(config.httpHost(), config.httpPort()), 1);
        } catch (IOException e) {
            throw new EmbeddedStartException(
                    "The service cannot listen on " + config.httpHost() + ":" + config.httpPort() + " ("
                            + e.getMessage() + "); end what uses that port, or choose another with "
                            + StartConfig.HTTP_PORT + ".",
                    e);
        }
    }
}
