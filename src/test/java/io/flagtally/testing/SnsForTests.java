package io.flagtally.testing;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import io.flagtally.platform.embedded.LoopbackPort;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.sqs.SqsAsyncClient;
import software.amazon.awssdk.services.sqs.model.MessageAttributeValue;

/**
 * A stand-in for SNS: its protocol over a real socket, in front of the queues of an ElasticMQ. It is harsher than the
 * cloud: of the messages it refuses every fifth for its pace, and of those it has delivered it cuts every seventh
 * connection before it answers, so that clients send twice. It knows one topic, and a caller {@code wrong} to refuse.
 */
public final class SnsForTests implements AutoCloseable {

    public static final String TOPIC = "arn:aws:sns:" + ElasticMqServerForTests.REGION + ":"
            + ElasticMqServerForTests.ACCOUNT + ":contract-events";

    private static final int BYTES_MAX = 262_144;
    private static final int ATTRIBUTES_MAX = 10;
    private static final int THROTTLED_EVERY = 5;
    private static final int CUT_EVERY = 7;
    private static final ObjectMapper JSON = new ObjectMapper();

    /** A queue that gets every message, as it is or in SNS' envelope. */
    public record Subscription(String queue, boolean raw) {}

    private final int port = LoopbackPort.free();
    private final ElasticMqServerForTests queues;
    private final List<Subscription> subscriptions;
    private final AtomicInteger published = new AtomicInteger();
    private @Nullable HttpServer server;
    private @Nullable ExecutorService threads;
    private @Nullable SqsAsyncClient client;

    public SnsForTests(ElasticMqServerForTests queues, Subscription... subscriptions) {
        this.queues = queues;
        this.subscriptions = List.of(subscriptions);
    }

    public int port() {
        return port;
    }

    public String uri() {
        return "http://" + LoopbackPort.HOST + ":" + port;
    }

    public SnsForTests start() {
        try {
            HttpServer starting = HttpServer.create(new InetSocketAddress(LoopbackPort.HOST, port), 64);
            ExecutorService pool = Executors.newFixedThreadPool(16);
            client = queues.newClient();
            starting.setExecutor(pool);
            starting.createContext("/", this::answer);
            starting.start();
            server = starting;
            threads = pool;
            return this;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Ends it, with every connection. */
    public void stop() {
        if (server != null && threads != null && client != null) {
            server.stop(0);
            threads.shutdownNow();
            client.close();
            server = null;
        }
    }

    @Override
    public void close() {
        stop();
    }

    private void answer(HttpExchange exchange) throws IOException {
        try (exchange) {
            Map<String, String> form = form(exchange);
            String caller = exchange.getRequestHeaders().getFirst("Authorization");
            if (caller == null || caller.contains("Credential=wrong/")) {
                refuse(exchange, 403, "InvalidClientTokenId", "The security token included in the request is invalid.");
            } else if (!TOPIC.equals(form.get("TopicArn"))) {
                refuse(exchange, 404, "NotFound", "Topic does not exist");
            } else if ("GetTopicAttributes".equals(form.get("Action"))) {
                send(
                        exchange,
                        200,
                        "<GetTopicAttributesResponse><GetTopicAttributesResult><Attributes/>"
                                + "</GetTopicAttributesResult></GetTopicAttributesResponse>");
            } else {
                publish(exchange, form);
            }
        }
    }

    private void publish(HttpExchange exchange, Map<String, String> form) throws IOException {
        int number = published.incrementAndGet();
        if (number % THROTTLED_EVERY == 0) {
            refuse(exchange, 400, "Throttling", "Rate exceeded");
            return;
        }
        String message = form.getOrDefault("Message", "");
        Map<String, String> attributes = attributes(form);
        int size = message.getBytes(StandardCharsets.UTF_8).length
                + attributes.entrySet().stream()
                        .mapToInt(each -> each.getKey().length()
                                + "String".length()
                                + each.getValue().length())
                        .sum();
        if (size > BYTES_MAX || attributes.size() > ATTRIBUTES_MAX || attributes.containsValue("")) {
            refuse(exchange, 400, "InvalidParameter", "Invalid parameter: " + size + " bytes, " + attributes.keySet());
            return;
        }
        for (Subscription subscription : subscriptions) {
            deliver(subscription, message, attributes);
        }
        if (number % CUT_EVERY == 0) {
            return;
        }
        send(
                exchange,
                200,
                "<PublishResponse><PublishResult><MessageId>" + UUID.randomUUID()
                        + "</MessageId></PublishResult></PublishResponse>");
    }

    private void deliver(Subscription to, String message, Map<String, String> attributes) throws IOException {
        SqsAsyncClient sqs = client;
        if (sqs == null) {
            throw new IOException("stopped");
        }
        String body = to.raw() ? message : envelope(message, attributes);
        Map<String, MessageAttributeValue> values = attributes.entrySet().stream()
                .collect(Collectors.toMap(
                        Map.Entry::getKey,
                        each -> MessageAttributeValue.builder()
                                .dataType("String")
                                .stringValue(each.getValue())
                                .build()));
        try {
            Object unused = sqs.sendMessage(request -> request.queueUrl(queues.queueUrl(to.queue()))
                            .messageBody(body)
                            .messageAttributes(to.raw() ? values : Map.of()))
                    .join();
        } catch (RuntimeException e) {
            throw new IOException("the queue is away", e);
        }
    }

    /** As SNS writes it, down to the order and the spaces. */
    static String envelope(String message, Map<String, String> attributes) throws IOException {
        Map<String, Object> envelope = new LinkedHashMap<>();
        envelope.put("Type", "Notification");
        envelope.put("MessageId", UUID.randomUUID().toString());
        envelope.put("TopicArn", TOPIC);
        envelope.put("Message", message);
        envelope.put("Timestamp", "2026-11-21T08:00:00.000Z");
        envelope.put("SignatureVersion", "1");
        envelope.put("Signature", "none");
        Map<String, Object> values = new LinkedHashMap<>();
        attributes.forEach((name, value) -> values.put(name, Map.of("Type", "String", "Value", value)));
        envelope.put("MessageAttributes", values);
        return JSON.writerWithDefaultPrettyPrinter().writeValueAsString(envelope);
    }

    private static Map<String, String> attributes(Map<String, String> form) {
        Map<String, String> attributes = new HashMap<>();
        for (int i = 1; form.containsKey("MessageAttributes.entry." + i + ".Name"); i++) {
            String entry = "MessageAttributes.entry." + i;
            attributes.put(form.getOrDefault(entry + ".Name", ""), form.getOrDefault(entry + ".Value.StringValue", ""));
        }
        return attributes;
    }

    private static Map<String, String> form(HttpExchange exchange) throws IOException {
        String body = new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8);
        Map<String, String> form = new HashMap<>();
        for (String pair : body.split("&", -1)) {
            int equals = pair.indexOf('=');
            if (equals > 0) {
                form.put(
                        pair.substring(0, equals),
                        URLDecoder.decode(pair.substring(equals + 1), StandardCharsets.UTF_8));
            }
        }
        return form;
    }

    private static void refuse(HttpExchange exchange, int status, String code, String message) throws IOException {
        send(
                exchange,
                status,
                "<ErrorResponse><Error><Type>Sender</Type><Code>" + code + "</Code><Message>" + message
                        + "</Message></Error></ErrorResponse>");
    }

    private static void send(HttpExchange exchange, int status, String xml) throws IOException {
        byte[] bytes = xml.getBytes(StandardCharsets.UTF_8);
        exchange.getResponseHeaders().set("Content-Type", "text/xml");
        exchange.sendResponseHeaders(status, bytes.length);
        exchange.getResponseBody().write(bytes);
    }
}
