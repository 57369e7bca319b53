package io.flagtally.proof;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.flagtally.platform.embedded.EmbeddedStores;
import java.io.IOException;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.Comparator;
import java.util.HashMap;
import java.util.Map;
import java.util.Random;
import java.util.ServiceLoader;
import java.util.UUID;
import java.util.stream.Stream;

/**
 * Shows on the user's own machine that each event is counted once: the service with its own embedded servers in a
 * temporary directory, clients that repeat their requests, and a fault every second or so: the service killed,
 * connections cut, replies of the store swallowed. At the end a ledger says what was sent and what was counted.
 *
 * <p>Then the same with deduplication off: there the ledger must show doubled events, or the proof proves nothing.
 */
public final class Proof {

    /** How many different requests a run sends unless told otherwise. */
    static final int REQUESTS = 1_200;

    private static final Duration PACE = Duration.ofMillis(25);

    /** The most faults of a run, and the fewest: the last of these is a kill. */
    private static final int FAULTS = 8;

    private static final int FAULTS_MIN = 4;
    private static final Duration BETWEEN_FAULTS = Duration.ofMillis(700);
    private static final Duration SWALLOWING = Duration.ofMillis(150);
    private static final Duration READ_TIMEOUT = Duration.ofSeconds(10);
    private static final Duration READ_PATIENCE = Duration.ofSeconds(60);
    private static final Duration BETWEEN_READS = Duration.ofMillis(200);
    private static final int OK = 200;

    private final PrintStream out;
    private final InstantSource clock;
    private final long seed;
    private final int requests;
    private final HttpClient http = HttpClient.newHttpClient();
    private final ObjectMapper json = new ObjectMapper();

    /** @param requests how many different requests to send; few of them prove little */
    public Proof(PrintStream out, InstantSource clock, long seed, int requests) {
        this.requests = requests;
        this.out = out;
        this.clock = clock;
        this.seed = seed;
    }

    /**
     * Runs both halves; true if each event was counted once, and the second half shows that the first could fail.
     *
     * @throws RuntimeException if it could not be made; the message says why
     */
    public boolean run() {
        out.printf("Proving that each event is counted once (seed %d). This takes about a minute.%n%n", seed);
        try {
            out.println("With deduplication:");
            Ledger with = half(true);
            out.printf("%nThe same with deduplication off:%n");
            Ledger without = half(false);
            return verdict(with, without);
        } catch (IOException e) {
            throw new UncheckedIOException(String.valueOf(e.getMessage()), e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return false;
        }
    }

    private boolean verdict(Ledger with, Ledger without) {
        boolean once = with.lost() == 0 && with.doubled() == 0;
        boolean bites = without.doubled() > 0;
        out.println();
        out.printf("%s: lost %,d, doubled %,d.%n", once ? "Proven" : "NOT PROVEN", with.lost(), with.doubled());
        out.printf(
                bites
                        ? "With deduplication off the same faults doubled %,d events: the proof bites.%n"
                        : "But with deduplication off nothing doubled either (%,d), so this run proves nothing.%n",
                without.doubled());
        return once && bites;
    }

    private Ledger half(boolean deduplication) throws IOException, InterruptedException {
        Path directory = Files.createTempDirectory("flagtally-prove");
        EmbeddedStores stores = ServiceLoader.load(EmbeddedStores.class)
                .findFirst()
                .orElseThrow(() -> new IllegalStateException("this build has no embedded servers to prove with"));
        String key = UUID.randomUUID().toString();
        try (EmbeddedStores.Running running = stores.start(EmbeddedStores.Wanted.both(directory.resolve("data")));
                FaultProxy proxy = FaultProxy.to(portOf(running.redisUrl().orElseThrow()));
                ProvenService service =
                        new ProvenService(directory, freePort(), settings(running, proxy, key, deduplication))) {
            long time = clock.instant().getEpochSecond() - 60;
            ProofLoad load = new ProofLoad(service.uri("/register_events"), key, requests, PACE, time, seed);
            disturb(load, service, proxy);
            out.printf(
                    "  %d requests acknowledged, %d times sent again after a failure%n",
                    load.acknowledged(), load.failed());
            Ledger ledger = ledger(load, service, key);
            ledger.print(out);
            return ledger;
        } finally {
            delete(directory);
        }
    }

    private void disturb(ProofLoad load, ProvenService service, FaultProxy proxy) throws InterruptedException {
        Thread clients = new Thread(
                () -> {
                    try {
                        load.run();
                    } catch (InterruptedException e) {
                        Thread.currentThread().interrupt();
                    }
                },
                "proof-clients");
        clients.start();
        try {
            makeFaults(clients, service, proxy);
            clients.join();
            service.awaitReady();
        } finally {
            // Without a service they would send the same request for ever.
            clients.interrupt();
        }
    }

    private void makeFaults(Thread clients, ProvenService service, FaultProxy proxy) throws InterruptedException {
        Random random = new Random(seed);
        int faults = Math.max(FAULTS_MIN, Math.min(FAULTS, FAULTS * requests / REQUESTS));
        for (int fault = 0; fault < faults && clients.isAlive(); fault++) {
            Thread.sleep(BETWEEN_FAULTS.toMillis() / 2 + random.nextInt((int) BETWEEN_FAULTS.toMillis()));
            if (fault % 4 == 3) {
                out.println("  kill -9 of the service, and a new start");
                service.killAndRestart();
            } else if (fault % 2 == 0) {
                out.println("  the store applies writes, its replies are lost, the connections cut");
                proxy.loseReplies();
                Thread.sleep(SWALLOWING.toMillis());
                proxy.pass();
            } else {
                out.println("  connections to the store cut");
                proxy.cut();
            }
        }
    }

    private Ledger ledger(ProofLoad load, ProvenService service, String key) throws IOException, InterruptedException {
        Ledger ledger = new Ledger();
        for (int flag = 0; flag < ProofLoad.FLAGS; flag++) {
            Map<String, Long> counted = counted(service, key, ProofLoad.flag(flag));
            for (int variation = 0; variation < ProofLoad.VARIATIONS; variation++) {
                ledger.add(
                        ProofLoad.flag(flag),
                        load.sent(flag, variation),
                        load.distinct(flag, variation),
                        counted.getOrDefault(ProofLoad.variation(variation), 0L));
            }
        }
        return ledger;
    }

    /** The event counters of a flag by variation. Nothing but an answer 200 says what was counted. */
    private Map<String, Long> counted(ProvenService service, String key, String flag)
            throws IOException, InterruptedException {
        URI uri = service.uri("/v1/evaluation_timeseries_count?timeRange=THIRTY_DAYS&featureId=" + flag);
        HttpRequest request = HttpRequest.newBuilder(uri)
                .header("authorization", key)
                .timeout(READ_TIMEOUT)
                .build();
        Map<String, Long> counted = new HashMap<>();
        for (JsonNode variation : json.readTree(answer(request)).path("eventCounts")) {
            counted.put(
                    variation.path("variationId").asText(),
                    variation.path("timeseries").path("totalCounts").asLong());
        }
        return counted;
    }

    private String answer(HttpRequest request) throws IOException, InterruptedException {
        long end = System.nanoTime() + READ_PATIENCE.toNanos();
        while (true) {
            String instead;
            try {
                HttpResponse<String> answer = http.send(request, BodyHandlers.ofString());
                if (answer.statusCode() == OK) {
                    return answer.body();
                }
                instead = answer.statusCode() + " " + answer.body();
            } catch (IOException e) {
                instead = e.toString();
            }
            if (System.nanoTime() > end) {
                throw new IOException("the counts could not be read within " + READ_PATIENCE + ": " + instead);
            }
            Thread.sleep(BETWEEN_READS.toMillis());
        }
    }

    /**
     * All that the service is told. Whatever would have it do more than count here is ruled out, even where this build was
     * made with it.
     */
    private static Map<String, String> settings(
            EmbeddedStores.Running running, FaultProxy proxy, String key, boolean deduplication) {
        Map<String, String> settings = new HashMap<>();
        settings.put("flagtally.redis.url", "redis://127.0.0.1:" + proxy.port());
        settings.put("flagtally.postgres.url", running.postgresUrl().orElseThrow());
        settings.put("flagtally.deduplication.enabled", Boolean.toString(deduplication));
        settings.put("flagtally.security.api-keys.prove.key", key);
        settings.put("flagtally.security.api-keys.prove.roles", "SDK_SERVER,READ_ONLY");
        settings.put("quarkus.http.host", "127.0.0.1");
        settings.put("quarkus.profile", "prod");
        settings.put("flagtally.roles", "ingest,consume,serve");
        settings.put("flagtally.pipeline.sinks", "mau,counts");
        settings.put("flagtally.redis.topology", "standalone");
        settings.put("flagtally.redis.durability", "local");
        settings.put("flagtally.deduplication.window", "24H");
        settings.put("flagtally.mirror.publish-to", "");
        settings.put("flagtally.broker.dead-letter-to", "");
        settings.put("flagtally.demo", "false");
        return settings;
    }

    private static int portOf(String redisUrl) {
        return URI.create(redisUrl).getPort();
    }

    private static int freePort() throws IOException {
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return socket.getLocalPort();
        }
    }

    private static void delete(Path directory) throws IOException {
        try (Stream<Path> files = Files.walk(directory)) {
            for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.deleteIfExists(file);
            }
        }
    }
}
