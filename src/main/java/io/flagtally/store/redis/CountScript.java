package io.flagtally.store.redis;

import io.vertx.mutiny.redis.client.Command;
import io.vertx.mutiny.redis.client.Request;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;

/** The script that checks and counts in one step, and how it is called. */
final class CountScript {

    private static final String TEXT = load("/redis/guard.lua") + load("/redis/count.lua");
    private static final String SHA1 = sha1(TEXT);

    private CountScript() {}

    /**
     * One call.
     *
     * @param arguments strings as UTF-8, numbers in decimal, byte arrays as they are
     */
    record Call(List<String> keys, List<byte[]> arguments) {

        /** The call by the script's hash; fails with NOSCRIPT on a server that does not know it. */
        Request byHash() {
            return with(Request.cmd(Command.EVALSHA).arg(SHA1));
        }

        /** The call by the script's text, which the server then knows. */
        Request byText() {
            return with(Request.cmd(Command.EVAL).arg(TEXT));
        }

        private Request with(Request request) {
            request.arg(keys.size());
            keys.forEach(request::arg);
            arguments.forEach(request::arg);
            return request;
        }
    }

    private static String load(String resource) {
        try (InputStream in = CountScript.class.getResourceAsStream(resource)) {
            if (in == null) {
                throw new IllegalStateException(resource + " is missing in this build");
            }
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static String sha1(String text) {
        try {
            byte[] digest = MessageDigest.getInstance("SHA-1").digest(text.getBytes(StandardCharsets.UTF_8));
            return HexFormat.of().formatHex(digest);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every JDK has SHA-1", e);
        }
    }
}
