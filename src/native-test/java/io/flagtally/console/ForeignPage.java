package io.flagtally.console;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import io.flagtally.platform.embedded.LoopbackPort;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/** A web page of another origin than the service's, with the published JavaScript SDK in it. */
final class ForeignPage implements AutoCloseable {

    private static final String PAGE = """
            <!doctype html>
            <title>A shop</title>
            <script type="importmap">
              {"imports": {"@bucketeer/js-client-sdk": "/@bucketeer/js-client-sdk/dist/main.browser.mjs",
                "async-mutex": "/async-mutex/index.mjs"}}
            </script>
            <script type="module">
              import * as bucketeer from '@bucketeer/js-client-sdk';
              window.visit = async (apiEndpoint, apiKey, flag, users) => {
                for (const id of users) {
                  const config = bucketeer.defineBKTConfig(
                    {apiKey, apiEndpoint, appVersion: '1.0.0', featureTag: 'web', fetch: window.fetch.bind(window)});
                  await bucketeer.initializeBKTClient(config, bucketeer.defineBKTUser({id}), 5000);
                  const client = bucketeer.getBKTClient();
                  client.booleanVariation(flag, false);
                  await client.flush();
                  bucketeer.destroyBKTClient();
                }
              };
            </script>
            """;

    private final HttpServer server;
    private final Path modules;

    /** @param modules the folder into which npm has installed the SDK */
    ForeignPage(Path modules) throws IOException {
        this.modules = modules.toRealPath();
        server = HttpServer.create(new InetSocketAddress(InetAddress.getByName(LoopbackPort.HOST), 0), 0);
        server.createContext("/", this::answer);
        server.start();
    }

    URI uri() {
        return URI.create(
                "http://" + LoopbackPort.HOST + ":" + server.getAddress().getPort() + "/");
    }

    @Override
    public void close() {
        server.stop(0);
    }

    private void answer(HttpExchange http) throws IOException {
        String path = http.getRequestURI().getPath();
        Path file = modules.resolve(path.substring(1)).normalize();
        boolean isFile = file.startsWith(modules) && Files.isRegularFile(file);
        byte[] body = path.equals("/")
                ? PAGE.getBytes(StandardCharsets.UTF_8)
                : isFile ? Files.readAllBytes(file) : new byte[0];
        http.getResponseHeaders()
                .add("content-type", path.equals("/") ? "text/html; charset=utf-8" : "text/javascript");
        http.sendResponseHeaders(path.equals("/") || isFile ? 200 : 404, body.length == 0 ? -1 : body.length);
        if (body.length > 0) {
            http.getResponseBody().write(body);
        }
        http.close();
    }
}
