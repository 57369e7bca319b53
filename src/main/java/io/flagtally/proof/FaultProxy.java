package io.flagtally.proof;

import java.io.Closeable;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/**
 * A TCP proxy on loopback that breaks things on purpose: it cuts connections, holds bytes back, and swallows replies,
 * so that a store has applied a write whose sender never hears of it.
 */
public final class FaultProxy implements Closeable {

    /** What happens to the bytes that pass. */
    public enum Mode {
        PASS,
        /** Requests reach the server, replies reach nobody. */
        SWALLOW_REPLIES,
        /** Nothing passes, nothing is closed. */
        STALL,
        /** New connections are closed at once. */
        REFUSE
    }

    private static final int BUFFER_BYTES = 64 * 1024;
    private static final long STALL_STEP_MILLIS = 5;

    private final ServerSocket listener;
    private final InetSocketAddress server;
    private final Set<Socket> open = ConcurrentHashMap.newKeySet();
    private volatile Mode mode = Mode.PASS;

    /** Listens on a free port and passes what comes to {@code server}. */
    public FaultProxy(InetSocketAddress server) throws IOException {
        this.server = server;
        this.listener = new ServerSocket(0, 64, InetAddress.getLoopbackAddress());
        daemon("fault-proxy", this::acceptAll);
    }

    public int port() {
        return listener.getLocalPort();
    }

    public void setMode(Mode mode) {
        this.mode = mode;
    }

    /** Closes every connection there is, in the middle of whatever passes. */
    public void cut() {
        for (Socket socket : open) {
            closeQuietly(socket);
        }
    }

    @Override
    public void close() throws IOException {
        listener.close();
        cut();
    }

    private void acceptAll() {
        while (!listener.isClosed()) {
            try {
                join(listener.accept());
            } catch (IOException e) {
                // A connection that cannot be made is just another fault.
            }
        }
    }

    private void join(Socket client) throws IOException {
        if (mode == Mode.REFUSE) {
            closeQuietly(client);
            return;
        }
        Socket upstream = new Socket();
        open.add(client);
        open.add(upstream);
        try {
            upstream.connect(server);
        } catch (IOException e) {
            closeQuietly(client);
            closeQuietly(upstream);
            throw e;
        }
        client.setTcpNoDelay(true);
        upstream.setTcpNoDelay(true);
        daemon("fault-proxy-requests", () -> pump(client, upstream, false));
        daemon("fault-proxy-replies", () -> pump(upstream, client, true));
    }

    private void pump(Socket from, Socket to, boolean replies) {
        byte[] buffer = new byte[BUFFER_BYTES];
        try (InputStream in = from.getInputStream();
                OutputStream out = to.getOutputStream()) {
            for (int read = in.read(buffer); read >= 0; read = in.read(buffer)) {
                while (mode == Mode.STALL && !from.isClosed()) {
                    Thread.sleep(STALL_STEP_MILLIS);
                }
                if (!replies || mode != Mode.SWALLOW_REPLIES) {
                    out.write(buffer, 0, read);
                }
            }
        } catch (IOException e) {
            // One side has closed, or was cut.
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } finally {
            closeQuietly(from);
            closeQuietly(to);
        }
    }

    private void closeQuietly(Socket socket) {
        open.remove(socket);
        try {
            socket.close();
        } catch (IOException e) {
            // It is closed one way or the other.
        }
    }

    private static void daemon(String name, Runnable work) {
        Thread thread = new Thread(work, name);
        thread.setDaemon(true);
        thread.start();
    }
}
