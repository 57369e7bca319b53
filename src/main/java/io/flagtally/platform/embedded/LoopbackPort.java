package io.flagtally.platform.embedded;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.util.concurrent.ThreadLocalRandom;

/** A port of 127.0.0.1 that was free a moment ago, outside the range from which systems give out ports by themselves. */
public final class LoopbackPort {

    public static final String HOST = "127.0.0.1";

    private static final int LOWEST = 20_000;
    private static final int HIGHEST = 29_999;
    private static final int ATTEMPTS_MAX = 100;

    private LoopbackPort() {}

    public static int free() {
        for (int attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
            int port = ThreadLocalRandom.current().nextInt(LOWEST, HIGHEST + 1);
            if (isFree(HOST, port)) {
                return port;
            }
        }
        throw new EmbeddedStartException("No port from " + LOWEST + " to " + HIGHEST + " of " + HOST
                + " seems to be free for the embedded servers; end what takes them.");
    }

    /** Whether a server could listen on this port of {@code host} now. */
    public static boolean isFree(String host, int port) {
        try (ServerSocket socket = new ServerSocket()) {
            socket.setReuseAddress(true);
            socket.bind(new InetSocketAddress(host, port), 1);
            return true;
        } catch (IOException taken) {
            return false;
        }
    }
}
