package io.flagtally.platform;

import io.flagtally.platform.embedded.EmbeddedStartException;
import io.flagtally.platform.embedded.EmbeddedStores.Running;
import io.quarkus.runtime.annotations.QuarkusMain;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.time.InstantSource;
import java.util.Map;
import java.util.Optional;
import java.util.ServiceLoader;
import java.util.TreeMap;

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
        if (args.length > 0) {
            System.exit(command(args));
        }
        if (System.getProperty(STARTED) == null) {
            try {
                ApplicationRun.prepare(Main::prepare);
            } catch (EmbeddedStartException e) {
                System.err.println(e.getMessage());
                System.exit(FAILED);
            }
            System.setProperty(STARTED, "true");
        }
        ApplicationRun.run(args);
    }

    private static int command(String... args) {
        Map<String, Command> commands = new TreeMap<>();
        ServiceLoader.load(Command.class).forEach(command -> commands.put(command.name(), command));
        Command command = commands.get(args[0]);
        if (command == null) {
            System.err.println("There is no command " + args[0] + "; there is " + String.join(", ", commands.keySet())
                    + ", and without one the service starts.");
            return FAILED;
        }
        return command.run(InstantSource.system());
    }

    private static void prepare() {
        StartConfig config = StartConfig.read();
        requireFreePort(config);
        config.postgresUrl()
                .ifPresent(url -> ConfiguredPostgres.requireAnswer(
                        url, config.postgresUsername(), config.postgresPassword(), ConfiguredPostgres.PATIENCE));
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
