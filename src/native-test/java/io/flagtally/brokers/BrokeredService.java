package io.flagtally.brokers;

import io.flagtally.packaged.ServiceProcess;
import io.flagtally.platform.embedded.LoopbackPort;
import io.flagtally.testing.PostgresServerForTests;
import io.flagtally.testing.RedisServerForTests;
import io.flagtally.testing.TestData;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** The packaged service on a broker and on stores of the test's own, which may be killed and started again. */
final class BrokeredService implements AutoCloseable {

    static final int MESSAGE_BYTES_MAX = 60_000;
    static final int BATCH_EVENTS_MAX = 500;

    private static final String KEY = "local";
    private static final Pattern COUNTED =
            Pattern.compile("\"variationId\":\"" + SentEvents.VARIATION + "\",[^\\[]*\"events\":\\[([0-9,]*)]");

    private final BrokerForTests broker;
    private final int brokerPort;
    private final PostgresServerForTests postgres;
    private final RedisServerForTests counts;
    private final Path home = TestData.newDirectory("brokered");
    private final int port = LoopbackPort.free();
    private String[] settings;
    private String[] jvmOptions = {"-Xmx256m"};
    private volatile @Nullable ServiceProcess process;
    private String lastSeries = "";

    /**
     * @param brokerPort where it shall reach the broker
     * @param settings more of them, each {@code key=value}
     */
    BrokeredService(
            BrokerForTests broker,
            int brokerPort,
            PostgresServerForTests postgres,
            RedisServerForTests counts,
            String... settings) {
        this.broker = broker;
        this.brokerPort = brokerPort;
        this.postgres = postgres;
        this.counts = counts;
        this.settings = settings;
    }

    /** Has these settings from its next start on, in place of those it was made with. */
    void have(String... others) {
        settings = others;
    }

    /** Has its JVM started with these options. */
    BrokeredService on(String... options) {
        jvmOptions = options;
        return this;
    }

    /** Starts it and returns at once. */
    void launch() {
        ServiceProcess.Start start = ServiceProcess.in(home)
                .port(port)
                .with("-Dquarkus.profile=" + broker.profile())
                .with("-Dquarkus.http.host=127.0.0.1")
                .with("-Dflagtally.postgres.url=postgresql://127.0.0.1:" + postgres.port() + "/postgres")
                .with("-Dflagtally.redis.url=" + counts.url())
                .with("-Dflagtally.redis.flush-timeout=1S")
                .with("-Dflagtally.redis.durability-timeout=0.5S")
                .with("-Dflagtally.pipeline.retry.delay-max=500ms")
                .with("-Dflagtally.pipeline.batch.size-max=" + BATCH_EVENTS_MAX)
                .with("-Dflagtally.broker.publish-to=" + BrokerForTests.EVENTS)
                .with("-Dflagtally.broker.subscribe-to=" + BrokerForTests.EVENTS)
                .with("-Dflagtally.broker.consumer-group=" + BrokerForTests.GROUP)
                .with("-Dflagtally.broker.dead-letter-to=" + BrokerForTests.DEAD_LETTERS)
                .with("-Dflagtally.broker.message.bytes-max=" + MESSAGE_BYTES_MAX)
                .with("-Dflagtally.security.api-keys.test.key=" + KEY)
                .with("-Dflagtally.security.api-keys.test.roles=SDK_SERVER,READ_ONLY,ADMIN");
        broker.settings(brokerPort).forEach((name, value) -> start.with("-D" + name + "=" + value));
        for (String setting : settings) {
            start.with("-D" + setting);
        }
        for (String option : jvmOptions) {
            start.with(option);
        }
        process = start.launch();
    }

    /** Starts it, unless it runs, and returns when it is ready. */
    BrokeredService ready() {
        if (process == null) {
            launch();
        }
        process().awaitReady();
        return this;
    }

    ServiceProcess process() {
        ServiceProcess running = process;
        if (running == null) {
            throw new IllegalStateException("the service was not started");
        }
        return running;
    }

    /** Ends it as a crash does. */
    void kill() {
        process().close();
        process = null;
    }

    /** Ends it as an operator does; returns its log. */
    String stop() {
        process().stop();
        String log = process().log();
        kill();
        return log;
    }

    /** CPU time that the running process has used. */
    double cpuSeconds() {
        return ProcessHandle.of(process().pid())
                        .flatMap(jvm -> jvm.info().totalCpuDuration())
                        .orElse(Duration.ZERO)
                        .toNanos()
                / 1e9;
    }

    URI uri(String path) {
        return URI.create("http://127.0.0.1:" + port + path);
    }

    HttpResponse<String> get(String path) {
        return process().send(HttpRequest.newBuilder(uri(path)).header("authorization", KEY));
    }

    HttpResponse<String> post(String path, String body) {
        return process()
                .send(HttpRequest.newBuilder(uri(path))
                        .header("authorization", KEY)
                        .header("content-type", "application/json")
                        .POST(BodyPublishers.ofString(body)));
    }

    /** Whether every event of a request is safe; false if nobody answers. */
    boolean takes(String request) {
        try {
            HttpResponse<String> answer = post("/register_events", request);
            return answer.statusCode() == 200 && answer.body().replace(" ", "").equals("{\"errors\":{}}");
        } catch (UncheckedIOException | IllegalStateException away) {
            return false;
        }
    }

    int status(String path) {
        try {
            return get(path).statusCode();
        } catch (UncheckedIOException e) {
            return 0;
        }
    }

    /** The events counted of {@code flag}, over yesterday and today; below zero if reads are not answered. */
    long counted(String flag) {
        String query = "featureId=" + URLEncoder.encode(flag, StandardCharsets.UTF_8) + "&from="
                + LocalDate.now(ZoneOffset.UTC).minusDays(1);
        try {
            HttpResponse<String> answer = get("/v1/evaluation_series?" + query);
            lastSeries = flag + ": " + answer.statusCode() + " " + answer.body();
            return answer.statusCode() == 200 ? sum(answer.body()) : -1;
        } catch (UncheckedIOException e) {
            lastSeries = flag + ": " + e;
            return -1;
        }
    }

    /** What {@link #counted} was answered the last time. */
    String lastSeries() {
        return lastSeries;
    }

    /** The sum of all series of a metric whose line begins with {@code prefix}; 0 if there is none, or nobody answers. */
    double metric(String prefix) {
        try {
            return process().metric(prefix);
        } catch (UncheckedIOException e) {
            return 0;
        }
    }

    @Override
    public void close() {
        if (process != null) {
            kill();
        }
    }

    /** The events of {@link SentEvents#VARIATION} in the answer of a series; 0 if there is none. */
    static long sum(String series) {
        Matcher matcher = COUNTED.matcher(series.replace(" ", ""));
        long sum = 0;
        if (matcher.find() && !matcher.group(1).isEmpty()) {
            for (String value : matcher.group(1).split(",", -1)) {
                sum += Long.parseLong(value);
            }
        }
        return sum;
    }
}
