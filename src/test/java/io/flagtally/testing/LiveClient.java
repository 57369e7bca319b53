package io.flagtally.testing;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.MissingNode;
import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * Reads a live stream as a browser's {@code EventSource} does, over a plain socket that may be cut anywhere: a message
 * counts once its blank line is there. Keeps what it was told, and fails if a count falls within a day.
 */
public final class LiveClient implements AutoCloseable {

    /** A message; {@code name} is empty for a comment. */
    public record Message(String name, String id, String data) {
        public boolean isCounts() {
            return name.equals("snapshot") || name.equals("change");
        }
    }

    private static final ObjectMapper JSON = new ObjectMapper();
    private static final int CONNECT_MILLIS = 5_000;

    private final String path;
    private final String key;
    private final Map<String, JsonNode> flags = new TreeMap<>();
    private final List<String> featureIds = new ArrayList<>();
    private String lastId = "";
    private String date = "";
    private Socket socket = new Socket();
    private InputStream in = InputStream.nullInputStream();
    private int status;
    private String headers = "";
    private int chunkLeft;
    private ByteArrayOutputStream line = new ByteArrayOutputStream();
    private List<String> lines = new ArrayList<>();

    /** @param key empty for none */
    public LiveClient(String path, String key) {
        this.path = path;
        this.key = key;
    }

    /** Opens the stream at {@code service}, where it was left; gives the HTTP status. */
    public int open(URI service) throws IOException {
        close();
        chunkLeft = 0;
        line = new ByteArrayOutputStream();
        lines = new ArrayList<>();
        socket = new Socket();
        socket.connect(new InetSocketAddress("127.0.0.1", service.getPort()), CONNECT_MILLIS);
        socket.setSoTimeout(60_000);
        String request = "GET " + path + " HTTP/1.1\r\nhost: 127.0.0.1\r\naccept: text/event-stream\r\n"
                + (key.isEmpty() ? "" : "authorization: " + key + "\r\n")
                + (lastId.isEmpty() ? "" : "last-event-id: " + lastId + "\r\n")
                + "\r\n";
        socket.getOutputStream().write(request.getBytes(StandardCharsets.US_ASCII));
        in = new BufferedInputStream(socket.getInputStream());
        StringBuilder head = new StringBuilder();
        while (!head.toString().endsWith("\r\n\r\n")) {
            int next = in.read();
            if (next < 0) {
                throw new EOFException("no answer");
            }
            head.append((char) next);
        }
        headers = head.toString();
        status = Integer.parseInt(headers.substring(9, 12));
        return status;
    }

    public int status() {
        return status;
    }

    public String headers() {
        return headers;
    }

    /** What was told last of each flag. */
    public Map<String, JsonNode> flags() {
        return flags;
    }

    /** What was told last of {@code id}; a missing node if nothing was. */
    public JsonNode flag(String id) {
        JsonNode flag = flags.get(id);
        return flag == null ? MissingNode.getInstance() : flag;
    }

    /** The flags that are watched, in the order told. */
    public List<String> featureIds() {
        return featureIds;
    }

    public String lastId() {
        return lastId;
    }

    /** All events of all flags, as told. */
    public long events() {
        return flags.values().stream()
                .mapToLong(flag -> flag.path("events").asLong())
                .sum();
    }

    /**
     * Returns the next message, and remembers what it says.
     *
     * @throws SocketTimeoutException if there is none within {@code patience}
     */
    public Message next(Duration patience) throws IOException {
        long end = System.nanoTime() + patience.toNanos();
        while (true) {
            long left = (end - System.nanoTime()) / 1_000_000;
            if (left <= 0) {
                throw new SocketTimeoutException("nothing came within " + patience);
            }
            socket.setSoTimeout((int) left);
            String text = nextLine();
            if (!text.isEmpty()) {
                lines.add(text);
                continue;
            }
            Message message = message(lines);
            lines = new ArrayList<>();
            take(message);
            return message;
        }
    }

    /** Returns the next message that {@link Message#isCounts}. */
    public Message nextCounts(Duration patience) throws IOException {
        long end = System.nanoTime() + patience.toNanos();
        while (true) {
            Message message = next(Duration.ofNanos(Math.max(1_000_000, end - System.nanoTime())));
            if (message.isCounts()) {
                return message;
            }
        }
    }

    /** Cuts the connection. */
    @Override
    public void close() throws IOException {
        socket.close();
    }

    private String nextLine() throws IOException {
        while (true) {
            int next = nextByte();
            if (next == '\n') {
                String text = line.toString(StandardCharsets.UTF_8);
                line = new ByteArrayOutputStream();
                return text;
            }
            line.write(next);
        }
    }

    private int nextByte() throws IOException {
        while (chunkLeft == 0) {
            chunkLeft = chunkLength();
        }
        int next = read();
        chunkLeft--;
        if (chunkLeft == 0) {
            read();
            read();
        }
        return next;
    }

    private int chunkLength() throws IOException {
        StringBuilder digits = new StringBuilder();
        for (int next = read(); next != '\n'; next = read()) {
            digits.append((char) next);
        }
        int length = Integer.parseInt(digits.toString().trim(), 16);
        if (length == 0) {
            throw new EOFException("the stream has ended");
        }
        return length;
    }

    private int read() throws IOException {
        int next = in.read();
        if (next < 0) {
            throw new EOFException("the connection has ended");
        }
        return next;
    }

    private static Message message(List<String> lines) {
        String name = "";
        String id = "";
        String data = "";
        for (String text : lines) {
            int colon = text.indexOf(':');
            String field = colon < 0 ? text : text.substring(0, colon);
            String value = colon < 0 ? "" : text.substring(colon + 1).stripLeading();
            switch (field) {
                case "event" -> name = value;
                case "id" -> id = value;
                case "data" -> data = value;
                default -> {}
            }
        }
        return new Message(name, id, data);
    }

    private void take(Message message) throws IOException {
        if (!message.id.isEmpty()) {
            lastId = message.id;
        }
        if (!message.isCounts()) {
            return;
        }
        JsonNode data = JSON.readTree(message.data);
        if (message.name.equals("snapshot")) {
            flags.clear();
        }
        String of = data.path("date").asText(date);
        boolean sameDay = of.equals(date);
        date = of;
        if (data.has("featureIds")) {
            featureIds.clear();
            data.path("featureIds").forEach(id -> featureIds.add(id.asText()));
        }
        for (JsonNode flag : data.path("flags")) {
            JsonNode before = flags.put(flag.path("featureId").asText(), flag);
            if (before != null && sameDay) {
                requireNotLower(before, flag);
            }
        }
        flags.keySet().removeIf(flag -> !featureIds.isEmpty() && !featureIds.contains(flag));
    }

    private static void requireNotLower(JsonNode before, JsonNode now) {
        Map<String, JsonNode> variations = new TreeMap<>();
        now.path("variations")
                .forEach(each -> variations.put(each.path("variationId").asText(), each));
        for (JsonNode was : before.path("variations")) {
            JsonNode is = variations.get(was.path("variationId").asText());
            boolean lower = is == null
                    || is.path("events").asLong() < was.path("events").asLong()
                    || is.path("uniques").path("count").asLong()
                            < was.path("uniques").path("count").asLong();
            if (lower) {
                throw new AssertionError("a count fell: " + was + " became " + is);
            }
        }
    }
}
