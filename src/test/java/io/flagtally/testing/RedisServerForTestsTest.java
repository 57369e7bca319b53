package io.flagtally.testing;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.flagtally.platform.embedded.LoopbackPort;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class RedisServerForTestsTest {

    private final RedisServerForTests redis = RedisServerForTests.start();

    @AfterEach
    void close() {
        redis.close();
    }

    @Test
    void restart_afterKill_keepsWhatWasAnswered() throws IOException {
        assertEquals("+OK", ask("SET a 1"));

        redis.kill();
        redis.restart();

        assertEquals("$1", ask("GET a"));
    }

    @Test
    void pause_untilResume_answersNothing() throws IOException {
        redis.pause();
        assertThrows(SocketTimeoutException.class, () -> ask("PING"));

        redis.resume();
        assertEquals("+PONG", ask("PING"));
    }

    private String ask(String command) throws IOException {
        try (Socket socket = new Socket()) {
            socket.connect(new InetSocketAddress(LoopbackPort.HOST, redis.port()), 1_000);
            socket.setSoTimeout(1_000);
            socket.getOutputStream().write((command + "\r\n").getBytes(StandardCharsets.US_ASCII));
            StringBuilder line = new StringBuilder();
            for (int c = socket.getInputStream().read();
                    c != '\r' && c >= 0;
                    c = socket.getInputStream().read()) {
                line.append((char) c);
            }
            return line.toString();
        }
    }
}
