package io.flagtally.platform.redis;

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
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** A script of Redis, and how it is called. Immutable. */
public final class RedisScript {

    private final String text;
    private final String sha1;

    private RedisScript(String text) {
        this.text = text;
        sha1 = sha1(text);
    }

    /** The script that these resources make, one after the other. */
    public static RedisScript of(String... resources) {
        return new RedisScript(Stream.of(resources).map(RedisScript::load).collect(Collectors.joining()));
    }

    /** @param arguments strings as UTF-8, numbers in decimal, byte arrays as they are */
    public Call call(List<String> keys, List<byte[]> arguments) {
        return new Call(this, keys, arguments);
    }

    /** One call. */
    public record Call(RedisScript script, List<String> keys, List<byte[]> arguments) {

        /** The call by the script's hash; fails with NOSCRIPT on a server that does not know it. */
        public Request byHash() {
            return with(Request.cmd(Command.EVALSHA).arg(script.sha1));
        }

        /** The call by the script's text, which the server then knows. */
        public Request byText() {
            return with(Request.cmd(Command.EVAL).arg(script.text));
        }

        private Request with(Request request) {
            request.arg(keys.size());
            keys.forEach(request::arg);
            arguments.forEach(request::arg);
            return request;
        }
    }

    private static String load(String resource) {
        try (InputStream in = RedisScript.class.getResourceAsStream(resource)) {
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
