package io.flagtally.store.redis;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.flagtally.event.EnvironmentId;
import io.flagtally.event.FlagId;
import io.flagtally.event.VariationId;
import io.flagtally.platform.Availability;
import io.flagtally.platform.Availability.Work;
import io.flagtally.platform.error.ErrorCode;
import io.flagtally.platform.error.RefusedException;
import io.flagtally.platform.error.UnavailableException;
import io.flagtally.platform.redis.RedisPlace;
import io.flagtally.rollup.BucketCalendar;
import io.flagtally.rollup.Granularity;
import io.flagtally.rollup.TimeBucket;
import io.flagtally.series.EnvironmentScope;
import io.flagtally.series.FlagPage;
import io.flagtally.series.FlagQuery;
import io.flagtally.series.FlagSeries;
import io.flagtally.series.FlagSeries.VariationSeries;
import io.flagtally.series.SeenEnvironment;
import io.flagtally.series.live.LiveFlag;
import io.flagtally.testing.RedisServerForTests;
import io.smallrye.mutiny.Uni;
import io.vertx.mutiny.core.Vertx;
import io.vertx.mutiny.redis.client.Command;
import io.vertx.mutiny.redis.client.Redis;
import io.vertx.mutiny.redis.client.Request;
import io.vertx.mutiny.redis.client.Response;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Reads as a Redis user who may not write: a read that wrote would fail. */
class RedisReadersTest {

    private static final Instant NOW = Instant.parse("2026-11-21T10:45:00Z");
    private static final BucketCalendar UTC = new BucketCalendar(ZoneOffset.UTC);
    private static final List<TimeBucket> TWO_DAYS = UTC.last(2, Granularity.DAY, NOW);
    private static final TimeBucket TODAY = TWO_DAYS.get(1);
    private static final FlagId FLAG = new FlagId("flag");
    private static final EnvironmentId STAGING = new EnvironmentId("staging");
    private static final Duration TIMEOUT = Duration.ofMillis(500);
    private static final Duration PATIENCE = Duration.ofSeconds(20);

    private final RedisServerForTests server = RedisServerForTests.start();
    private final Vertx vertx = Vertx.vertx();
    private final Availability availability = new Availability();
    private final RedisKeys keys = new RedisKeys(false);
    private Redis planter = Redis.createClient(vertx, server.url());
    private RedisReadLink link = link();

    @BeforeEach
    void allowReadsOnly() {
        plant("ACL", "SETUSER", "reader", "on", ">secret", "~*", "+@all", "-@write");
    }

    @AfterEach
    void close() {
        link.close();
        planter.close();
        vertx.closeAndAwait();
        server.close();
    }

    @Test
    void read_plantedKeys_givesEverySumAndUnion() {
        plant("ZADD", "catalog:variations:flag", "1", "default", "2", "var-1", "2", "Var-9");
        plant("MSET", "ec:1795132800:flag:var-1", "5", "ec:1795219200:flag:var-1", "4");
        plant("PFADD", "uc:1795132800:flag:var-1", "u1", "u2");
        plant("PFADD", "uc:1795219200:flag:var-1", "u2", "u3", "u4");
        plant("SET", "ec:1795219200:flag:default", "1");
        plant("PFADD", "uc:1795219200:flag:default", "u1");

        FlagSeries series = read(TWO_DAYS);

        assertEquals(
                List.of(
                        new VariationSeries(new VariationId("Var-9"), List.of(0L, 0L), List.of(0L, 0L), 0),
                        new VariationSeries(new VariationId("var-1"), List.of(5L, 4L), List.of(2L, 3L), 4),
                        new VariationSeries(VariationId.DEFAULT, List.of(0L, 1L), List.of(0L, 1L), 1)),
                series.variations());
        assertEquals(TWO_DAYS, series.buckets());
    }

    @Test
    void read_hours_uniteTheHourKeys() {
        List<TimeBucket> hours = UTC.last(24, Granularity.HOUR, NOW);
        plant("ZADD", "catalog:variations:flag", "1", "on");
        for (int i : new int[] {0, 22, 23}) {
            plant("INCRBY", "ech:" + hours.get(i).start().getEpochSecond() + ":flag:on", "2");
            plant("PFADD", "uch:" + hours.get(i).start().getEpochSecond() + ":flag:on", "same", "own" + i);
        }
        plant("PFADD", "uc:1795219200:flag:on", "not-asked-for");

        VariationSeries on = read(hours).variations().get(0);

        assertEquals(6, on.eventsTotal());
        assertEquals(2, on.uniques().get(23));
        assertEquals(4, on.uniquesTotal());
    }

    @Test
    void read_oneVariationMoreThanAnMgetHolds_keepsTheOrder() {
        List<TimeBucket> days = UTC.last(30, Granularity.DAY, NOW);
        List<String> counters = new ArrayList<>();
        for (int v = 0; v < 70; v++) {
            plant("ZADD", "catalog:variations:flag", "1", String.format("v%02d", v));
            counters.add("ec:1795219200:flag:" + String.format("v%02d", v));
            counters.add(Integer.toString(v));
        }
        plant("MSET", counters.toArray(String[]::new));

        List<VariationSeries> series = read(days).variations();

        assertEquals(71, series.size());
        IntStream.range(0, 70).forEach(v -> assertEquals(v, series.get(v).eventsTotal()));
    }

    @Test
    void read_anyFlag_takesTwoRoundTrips() {
        plant("ZADD", "catalog:variations:flag", "1", "default", "2", "a", "2", "b", "2", "c");
        AtomicInteger roundTrips = new AtomicInteger();
        RedisSeriesReader reader = new RedisSeriesReader(
                requests -> {
                    roundTrips.incrementAndGet();
                    return link.send(requests);
                },
                keys);

        await(reader.read(EnvironmentId.DEFAULT, FLAG, UTC.last(30, Granularity.DAY, NOW)));

        assertEquals(2, roundTrips.get());
    }

    @Test
    void read_unknownFlag_isDefaultWithZeros() {
        assertEquals(
                List.of(new VariationSeries(VariationId.DEFAULT, List.of(0L, 0L), List.of(0L, 0L), 0)),
                read(TWO_DAYS).variations());
    }

    @Test
    void read_anotherEnvironment_hasItsOwnKeys() {
        plant("ZADD", "staging:catalog:variations:flag", "1", "on");
        plant("SET", "staging:ec:1795219200:flag:on", "7");

        FlagSeries series = await(new RedisSeriesReader(link, keys).read(STAGING, FLAG, TWO_DAYS));

        assertEquals(7, series.variations().get(0).eventsTotal());
        assertEquals(1, read(TWO_DAYS).variations().size());
    }

    @Test
    void read_keyThatIsNoCounter_saysSo() {
        plant("ZADD", "catalog:variations:flag", "1", "on");
        plant("SET", "ec:1795219200:flag:on", "many");
        assertEquals(ErrorCode.COUNTER_UNUSABLE, refused().code());

        plant("DEL", "ec:1795219200:flag:on");
        plant("SADD", "uc:1795219200:flag:on", "u1");
        assertEquals(ErrorCode.COUNTER_UNUSABLE, refused().code());
    }

    @Test
    void busiest_counterThatIsNone_ranksByTheOthers() {
        plant("ZADD", "catalog:flags", "1795219201", "spoilt", "1795219202", "flag", "1795219203", "quiet");
        for (String flag : List.of("spoilt", "flag", "quiet")) {
            plant("ZADD", "catalog:variations:" + flag, "1795219200", "on", "1795219200", "off");
        }
        plant("MSET", "ec:1795219200:spoilt:on", "many", "ec:1795219200:spoilt:off", "2");
        plant("MSET", "ec:1795219200:flag:on", "3", "ec:1795219200:quiet:on", "1");
        RedisLiveReader reader = new RedisLiveReader(link, keys, new RedisSeriesReader(link, keys));

        List<FlagId> busiest = await(reader.busiest(EnvironmentId.DEFAULT, TODAY, 3));

        assertEquals(List.of(FLAG, new FlagId("spoilt"), new FlagId("quiet")), busiest);
        assertEquals(
                List.of(FLAG, new FlagId("quiet")),
                await(reader.read(EnvironmentId.DEFAULT, busiest, TODAY)).stream()
                        .map(LiveFlag::flag)
                        .sorted(Comparator.comparing(FlagId::value))
                        .toList());
    }

    /** Whoever signs in to the console asks for the environments first. */
    @Test
    void catalog_keysThatAreNoCounters_hideTheNumbersOfTheirFlagsOnly() {
        plant("ZADD", "flagtally:environments", "1795219300", "default");
        plant("ZADD", "catalog:flags", "1795219201", "a", "1795219202", "b", "1795219203", "c");
        for (String flag : List.of("a", "b", "c")) {
            plant("ZADD", "catalog:variations:" + flag, "1795219200", "on");
            plant("SET", "ec:1795219200:" + flag + ":on", "3");
            plant("PFADD", "uc:1795219200:" + flag + ":on", "u1");
        }
        plant("SET", "ec:1795219200:a:on", "many");
        plant("SET", "uc:1795219200:b:on", "many");
        RedisCatalogReader catalog = new RedisCatalogReader(link, keys);

        SeenEnvironment seen = await(catalog.environments(new EnvironmentScope(null, 10), TODAY))
                .get(0);
        FlagPage page = await(catalog.flags(EnvironmentId.DEFAULT, new FlagQuery("", Set.of(), "", 10), TODAY));

        assertEquals(6, seen.eventsToday());
        assertEquals(OptionalLong.empty(), seen.uniquesToday());
        assertEquals(
                List.of("a 0 0", "b 0 0", "c 3 1"),
                page.flags().stream()
                        .map(flag -> flag.flag().value() + " " + flag.eventsToday() + " " + flag.uniquesToday())
                        .toList());
    }

    @Test
    void everyRead_asAUserWhoMayNotWrite_succeeds() {
        plant("ZADD", "flagtally:environments", "1795219201", "default");
        plant("ZADD", "catalog:flags", "1795219201", "flag");
        plant("ZADD", "catalog:variations:flag", "1795219200", "on");
        plant("SET", "ec:1795219200:flag:on", "3");
        plant("PFADD", "uc:1795219200:flag:on", "u1");
        RedisCatalogReader catalog = new RedisCatalogReader(link, keys);
        plant("CONFIG", "RESETSTAT");

        read(TWO_DAYS);
        await(catalog.flags(EnvironmentId.DEFAULT, new FlagQuery("", Set.of(), "", 10), TODAY));
        await(catalog.environments(new EnvironmentScope(null, 10), TODAY));
        await(catalog.environments(new EnvironmentScope(EnvironmentId.DEFAULT, 10), TODAY));

        String used = plant("INFO", "commandstats").toString();
        assertTrue(used.contains("cmdstat_pfcount") && used.contains("cmdstat_mget"), used);
        // The protection itself: what this user is refused is a write.
        assertThrows(
                UnavailableException.class,
                () -> await(link.send(List.of(Request.cmd(Command.SET).arg("a").arg("b")))));
    }

    @Test
    void environments_seen_haveTotalsOfToday() {
        plant("ZADD", "flagtally:environments", "1795219300", "staging", "1795219201", "default");
        plant("ZADD", "catalog:flags", "1795219201", "a", "1795219202", "b", "1795132801", "yesterday");
        for (String flag : List.of("a", "b")) {
            plant("ZADD", "catalog:variations:" + flag, "1795219200", "on", "1795132800", "off");
            plant("SET", "ec:1795219200:" + flag + ":on", "3");
            plant("PFADD", "uc:1795219200:" + flag + ":on", "both", "only-" + flag);
        }
        RedisCatalogReader catalog = new RedisCatalogReader(link, keys);

        List<SeenEnvironment> seen = await(catalog.environments(new EnvironmentScope(null, 10), TODAY));

        assertEquals(
                List.of(
                        new SeenEnvironment(STAGING, Instant.ofEpochSecond(1795219300), 0, 0, OptionalLong.of(0)),
                        new SeenEnvironment(
                                EnvironmentId.DEFAULT, Instant.ofEpochSecond(1795219201), 3, 6, OptionalLong.of(3))),
                seen);
        assertEquals(
                List.of(STAGING),
                await(catalog.environments(new EnvironmentScope(STAGING, 10), TODAY)).stream()
                        .map(SeenEnvironment::environment)
                        .toList());
        assertEquals(
                List.of(), await(catalog.environments(new EnvironmentScope(new EnvironmentId("unseen"), 10), TODAY)));
    }

    @Test
    void environments_tooManyCountersToMerge_leaveUsersOut() {
        plant("ZADD", "flagtally:environments", "1795219300", "default");
        for (int i = 0; i <= RedisCatalogReader.MERGED_COUNTERS_MAX; i++) {
            plant("ZADD", "catalog:flags", "1795219201", "f" + i);
            plant("ZADD", "catalog:variations:f" + i, "1795219200", "on");
            plant("SET", "ec:1795219200:f" + i + ":on", "1");
        }

        SeenEnvironment seen = await(
                        new RedisCatalogReader(link, keys).environments(new EnvironmentScope(null, 10), TODAY))
                .get(0);

        assertEquals(RedisCatalogReader.MERGED_COUNTERS_MAX + 1, seen.eventsToday());
        assertEquals(OptionalLong.empty(), seen.uniquesToday());
    }

    @Test
    void flags_pages_coverEveryFlagOnce() {
        for (int i = 0; i < 25; i++) {
            plant("ZADD", "catalog:flags", "1795132801", "f" + i);
        }
        RedisCatalogReader catalog = new RedisCatalogReader(link, keys);
        List<String> ids = new ArrayList<>();
        boolean more = true;
        while (more) {
            String after = ids.isEmpty() ? "" : ids.get(ids.size() - 1);
            FlagPage page = await(catalog.flags(EnvironmentId.DEFAULT, new FlagQuery("F", Set.of(), after, 10), TODAY));
            assertEquals(25, page.matching());
            page.flags().forEach(flag -> ids.add(flag.flag().value()));
            more = page.more();
        }

        assertEquals(IntStream.range(0, 25).mapToObj(i -> "f" + i).sorted().toList(), ids);
    }

    @Test
    void read_redisKilledAndBack_failsThenServesAgain() {
        link.open();
        read(TWO_DAYS);
        assertTrue(availability.missing(Work.SERVE).isEmpty());

        server.kill();
        assertThrows(UnavailableException.class, () -> read(TWO_DAYS));
        assertFalse(availability.missing(Work.SERVE).isEmpty());

        server.restart();
        planter.close();
        planter = Redis.createClient(vertx, server.url());
        allowReadsOnly();
        Awaitility.await()
                .atMost(PATIENCE)
                .until(() -> availability.missing(Work.SERVE).isEmpty());
        read(TWO_DAYS);
    }

    @Test
    void read_redisSilent_failsInTimeThenServesAgain() {
        link.open();
        read(TWO_DAYS);

        server.pause();
        UnavailableException silent = assertThrows(UnavailableException.class, () -> read(TWO_DAYS));
        server.resume();

        assertTrue(String.valueOf(silent.getMessage()).contains("did not answer within 500 ms"));
        Awaitility.await()
                .atMost(PATIENCE)
                .until(() -> availability.missing(Work.SERVE).isEmpty());
        read(TWO_DAYS);
    }

    @Test
    void send_moreThanMayBeInFlight_isRefused() {
        List<Request> requests =
                Collections.nCopies(RedisReadLink.COMMANDS_IN_FLIGHT_MAX + 1, Request.cmd(Command.PING));

        RefusedException refused = assertThrows(RefusedException.class, () -> await(link.send(requests)));

        assertEquals(ErrorCode.RESOURCE_EXHAUSTED, refused.code());
        assertEquals(1, await(link.send(List.of(Request.cmd(Command.PING)))).size());
    }

    private RedisReadLink link() {
        String url = server.url().replace("//", "//reader:secret@");
        return new RedisReadLink(vertx, RedisPlace.standalone(url), TIMEOUT, availability);
    }

    @Test
    void read_againUnchanged_countsNoUsersAnew() {
        plantCounter("v", 3, "u1", "u2");
        AtomicInteger unions = new AtomicInteger();
        RedisSeriesReader reader = countingUnions(unions);

        FlagSeries first = await(reader.read(EnvironmentId.DEFAULT, FLAG, TWO_DAYS));
        int once = unions.get();
        FlagSeries second = await(reader.read(EnvironmentId.DEFAULT, FLAG, TWO_DAYS));

        assertEquals(first, second);
        assertTrue(once > 0);
        assertEquals(once, unions.get());
    }

    @Test
    void read_againAfterAnEvent_showsIt() {
        plantCounter("v", 3, "u1", "u2");
        RedisSeriesReader reader = countingUnions(new AtomicInteger());
        await(reader.read(EnvironmentId.DEFAULT, FLAG, TWO_DAYS));

        plantCounter("v", 4, "u3");
        VariationSeries changed = await(reader.read(EnvironmentId.DEFAULT, FLAG, TWO_DAYS))
                .variations()
                .get(0);

        assertEquals(List.of(0L, 4L), changed.events());
        assertEquals(3, changed.uniquesTotal());
    }

    @Test
    void read_againAfterAVariationCame_showsIt() {
        plantCounter("v", 3, "u1");
        RedisSeriesReader reader = countingUnions(new AtomicInteger());
        await(reader.read(EnvironmentId.DEFAULT, FLAG, TWO_DAYS));

        plantCounter("w", 1, "u9");

        assertEquals(
                List.of("v", "w", "default"),
                await(reader.read(EnvironmentId.DEFAULT, FLAG, TWO_DAYS)).variations().stream()
                        .map(variation -> variation.variation().value())
                        .toList());
    }

    @Test
    void remembered_connectionLost_isReadAnew() {
        plant("ZADD", "catalog:variations:flag", "1", "on");
        plant("SET", "ec:1795219200:flag:on", "3");
        plant("PFADD", "uc:1795219200:flag:on", "u1");
        RedisSeriesReader reader = new RedisSeriesReader(link, keys);
        assertEquals(1, usersOf(reader));
        plant("PFADD", "uc:1795219200:flag:on", "u2");
        assertEquals(1, usersOf(reader), "unchanged event counters vouch for what is remembered");

        plant("CLIENT", "KILL", "USER", "reader");

        Awaitility.await()
                .atMost(PATIENCE)
                .ignoreExceptionsInstanceOf(UnavailableException.class)
                .until(() -> usersOf(reader) == 2);
    }

    private static long usersOf(RedisSeriesReader reader) {
        return await(reader.read(EnvironmentId.DEFAULT, FLAG, TWO_DAYS))
                .variations()
                .get(0)
                .uniques()
                .get(1);
    }

    @Test
    void remembered_forgottenDuringARead_isNotKept() {
        RememberedSeries remembered = new RememberedSeries();
        RememberedSeries.Question question = new RememberedSeries.Question(EnvironmentId.DEFAULT, FLAG, TWO_DAYS);
        long begun = remembered.generation();

        remembered.forget();
        remembered.put(
                question,
                new RememberedSeries.Answer(List.of(), List.of(), new FlagSeries(TWO_DAYS, List.of())),
                begun);

        assertEquals(0, remembered.size());
        assertFalse(remembered.holds(begun));
    }

    @Test
    void remembered_moreThanFits_givesUpTheEldest() {
        RememberedSeries remembered = new RememberedSeries();
        List<Long> large = Collections.nCopies(RememberedSeries.NUMBERS_MAX / 10, 1L);
        for (int i = 0; i < 20; i++) {
            remembered.put(
                    new RememberedSeries.Question(EnvironmentId.DEFAULT, new FlagId("flag-" + i), TWO_DAYS),
                    new RememberedSeries.Answer(List.of(), large, new FlagSeries(TWO_DAYS, List.of())),
                    remembered.generation());
        }

        assertEquals(3, remembered.size());
    }

    private void plantCounter(String variation, int events, String... users) {
        plant("ZADD", "catalog:variations:flag", "1", variation);
        plant("SET", "ec:1795219200:flag:" + variation, Integer.toString(events));
        for (String user : users) {
            plant("PFADD", "uc:1795219200:flag:" + variation, user);
        }
    }

    private RedisSeriesReader countingUnions(AtomicInteger unions) {
        return new RedisSeriesReader(
                requests -> {
                    requests.stream()
                            .filter(request -> request.command().equals(Command.PFCOUNT))
                            .forEach(request -> unions.incrementAndGet());
                    return link.send(requests);
                },
                keys);
    }

    private FlagSeries read(List<TimeBucket> buckets) {
        return await(new RedisSeriesReader(link, keys).read(EnvironmentId.DEFAULT, FLAG, buckets));
    }

    private RefusedException refused() {
        return assertThrows(RefusedException.class, () -> read(TWO_DAYS));
    }

    private Response plant(String command, String... arguments) {
        Request request = Request.cmd(Command.create(command));
        List.of(arguments).forEach(request::arg);
        return await(planter.send(request));
    }

    private static <T> T await(Uni<T> uni) {
        return uni.await().atMost(PATIENCE);
    }
}
