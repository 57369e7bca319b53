package io.flagtally.proof;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/**
 * A TCP proxy on 127.0.0.1 that can lose what a server answers, fall silent, or cut its connections. Two threads a
 * connection; ends with {@link #close}.
 */
public final class FaultProxy implements AutoCloseable {

    private enum Mode {
        PASS,
        /** Requests arrive, answers are swallowed. */
        LOSE_REPLIES,
        /** Requests are swallowed. */
        SILENT,
        /** New connections are closed at once. */
        REFUSE
    }

    private static final int CHUNK_BYTES = 64 * 1024;

    private final ServerSocket door;
    private final int target;
    private final Set<Socket> open = ConcurrentHashMap.newKeySet();
    private volatile Mode mode = Mode.PASS;
    private volatile @Nullable String lastHeard;

    private FaultProxy(int target) throws IOException {
        this.target = target;
        door = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
        start("fault-proxy-door", this::accept);
    }

    /** Starts a proxy to a port of 127.0.0.1. */
    public static FaultProxy to(int port) {
        try {
            return new FaultProxy(port);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    public int port() {
        return door.getLocalPort();
    }

    /** Passes everything again, on new connections; the old ones are cut. */
    public void pass() {
        lastHeard = null;
        mode = Mode.PASS;
        cut();
    }

    /** From now on the server does what it is asked, and nobody hears of it. */
    public void loseReplies() {
        mode = Mode.LOSE_REPLIES;
    }

    /** Does as {@link #loseReplies} from the moment in which a client sends {@code text}. */
    public void loseRepliesFrom(String text) {
        lastHeard = text;
    }

    /** From now on nothing arrives anywhere, and connections stay open. */
    public void fallSilent() {
        mode = Mode.SILENT;
    }

    /** Cuts all connections, and every new one. */
    public void refuse() {
        mode = Mode.REFUSE;
        cut();
    }

    /** Cuts all connections; new ones may be made. */
    public void cut() {
        open.forEach(FaultProxy::closeQuietly);
        open.clear();
    }

    @Override
    public void close() {
        try {
            door.close();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        cut();
    }

    private void accept() {
        try {
            while (true) {
                Socket client = door.accept();
                if (mode == Mode.REFUSE) {
                    closeQuietly(client);
                } else {
                    connect(client);
                }
            }
        } catch (IOException e) {
            // The door was closed.
        }
    }

    private void connect(Socket client) {
        open.add(client);
        try {
            Socket server = new Socket(InetAddress.getLoopbackAddress(), target);
            open.add(server);
            client.setTcpNoDelay(true);
            server.setTcpNoDelay(true);
            start("fault-proxy-requests", () -> pump(client, server, Mode.SILENT));
            start("fault-proxy-replies", () -> pump(server, client, Mode.LOSE_REPLIES));
        } catch (IOException e) {
            closeQuietly(client);
        }
    }

    private void pump(Socket from, Socket to, Mode swallowing) {
        byte[] chunk = new byte[CHUNK_BYTES];
        try {
            int n = from.getInputStream().read(chunk);
            while (n > 0) {
                String awaited = lastHeard;
                if (awaited != null && new String(chunk, 0, n, StandardCharsets.ISO_8859_1).contains(awaited)) {
                    mode = Mode.LOSE_REPLIES;
                }
                if (mode != swallowing) {
                    to.getOutputStream().write(chunk, 0, n);
                    to.getOutputStream().flush();
                }
                n = from.getInputStream().read(chunk);
            }
        } catch (IOException e) {
            // One end was closed.
        } finally {
            closeQuietly(from);
            closeQuietly(to);
            open.remove(from);
            open.remove(to);
        }
    }

    private static void start(String name, Runnable work) {
        Thread thread = new Thread(work, name);
        thread.setDaemon(true);
        thread.start();
    }

    private static void closeQuietly(Socket socket) {
        try {
            socket.close();
        } catch (IOException e) {
            // It is gone either way.
        }
    }
}
