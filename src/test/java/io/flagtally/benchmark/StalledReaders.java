package io.flagtally.benchmark;

import io.flagtally.packaged.ServiceProcess;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/** Connections that ask for live streams of as many flags as they may, and never read what comes. */
final class StalledReaders implements AutoCloseable {

    private static final int FLAGS_MAX = 100;
    private static final int RECEIVE_BYTES = 4_096;
    private static final int CONNECT_MILLIS = 5_000;

    private final List<Socket> sockets = new ArrayList<>();

    StalledReaders(ServiceProcess service, int count, int flags) throws IOException {
        String path = IntStream.range(0, Math.min(flags, FLAGS_MAX))
                .mapToObj(flag -> "featureId=feature-" + flag)
                .collect(Collectors.joining("&", "/v1/live/evaluation_counts?", ""));
        String request = "GET " + path + " HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: local\r\n\r\n";
        for (int i = 0; i < count; i++) {
            Socket socket = new Socket();
            socket.setReceiveBufferSize(RECEIVE_BYTES);
            socket.connect(new InetSocketAddress("127.0.0.1", service.port()), CONNECT_MILLIS);
            socket.getOutputStream().write(request.getBytes(StandardCharsets.US_ASCII));
            sockets.add(socket);
        }
    }

    int size() {
        return sockets.size();
    }

    @Override
    public void close() throws IOException {
        for (Socket socket : sockets) {
            socket.close();
        }
    }
}
