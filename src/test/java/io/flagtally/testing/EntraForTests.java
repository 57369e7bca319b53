package io.flagtally.testing;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import io.flagtally.platform.embedded.LoopbackPort;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BiConsumer;

/**
 * A stand-in for Entra ID and for the metadata service of a machine: gives tokens to one client, which shows its secret or
 * an assertion, and to the machine. It is harsher than the cloud: a token ends after some seconds.
 */
public final class EntraForTests implements AutoCloseable {

    public static final String TENANT = "tenant-of-tests";
    public static final String CLIENT = "client-of-tests";
    public static final String SECRET = "secret & more";
    public static final String ASSERTION = "assertion.of.kubernetes";

    private static final String SCOPE = "https://servicebus.azure.net/.default";
    private static final String RESOURCE = "https://servicebus.azure.net/";
    private static final int OK = 200;
    private static final int BAD = 400;
    private static final int UNAUTHORIZED = 401;

    private final HttpServer server;
    private final Duration life;
    private final BiConsumer<String, Duration> issued;
    private final AtomicInteger tokens = new AtomicInteger();

    /** @param issued is told of each token and how long it is worth something */
    public EntraForTests(Duration life, BiConsumer<String, Duration> issued) {
        this.life = life;
        this.issued = issued;
        try {
            server = HttpServer.create(new InetSocketAddress(LoopbackPort.HOST, 0), 0);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        server.createContext("/" + TENANT + "/oauth2/v2.0/token", this::client);
        server.createContext("/metadata/identity/oauth2/token", this::machine);
        server.start();
    }

    public String uri() {
        return "http://" + LoopbackPort.HOST + ":" + server.getAddress().getPort();
    }

    /** How many tokens were given. */
    public int tokens() {
        return tokens.get();
    }

    @Override
    public void close() {
        server.stop(0);
    }

    private void client(HttpExchange exchange) throws IOException {
        Map<String, String> form = fields(new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8));
        boolean proven = SECRET.equals(form.get("client_secret"))
                || (ASSERTION.equals(form.get("client_assertion"))
                        && "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
                                .equals(form.get("client_assertion_type")));
        boolean known = exchange.getRequestMethod().equals("POST")
                && CLIENT.equals(form.get("client_id"))
                && SCOPE.equals(form.get("scope"))
                && "client_credentials".equals(form.get("grant_type"));
        if (proven && known) {
            answer(exchange, OK, token(life.toSeconds() + ""));
        } else {
            answer(exchange, UNAUTHORIZED, error("AADSTS7000215: Invalid client secret provided."));
        }
    }

    private void machine(HttpExchange exchange) throws IOException {
        Map<String, String> query = fields(exchange.getRequestURI().getRawQuery());
        boolean asked = "true".equals(exchange.getRequestHeaders().getFirst("Metadata"))
                && RESOURCE.equals(query.get("resource"))
                && query.containsKey("api-version");
        if (asked && query.getOrDefault("client_id", CLIENT).equals(CLIENT)) {
            answer(exchange, OK, token("\"" + life.toSeconds() + "\""));
        } else {
            answer(exchange, BAD, error("Identity not found"));
        }
    }

    private String token(String expiresIn) {
        String token = "token-" + UUID.randomUUID();
        tokens.incrementAndGet();
        issued.accept(token, life);
        return "{\"token_type\":\"Bearer\",\"access_token\":\"" + token + "\",\"expires_in\":" + expiresIn + "}";
    }

    private static String error(String description) {
        return "{\"error\":\"invalid\",\"error_description\":\"" + description + "\"}";
    }

    private static void answer(HttpExchange exchange, int status, String body) throws IOException {
        byte[] bytes = body.getBytes(StandardCharsets.UTF_8);
        exchange.getResponseHeaders().add("content-type", "application/json");
        exchange.sendResponseHeaders(status, bytes.length);
        exchange.getResponseBody().write(bytes);
        exchange.close();
    }

    private static Map<String, String> fields(String encoded) {
        Map<String, String> fields = new HashMap<>();
        for (String field : encoded.split("&", -1)) {
            String[] parts = field.split("=", 2);
            fields.put(parts[0], URLDecoder.decode(parts[1], StandardCharsets.UTF_8));
        }
        return fields;
    }
}
