package io.flagtally.benchmark;

import io.vertx.mutiny.redis.client.Command;
import io.vertx.mutiny.redis.client.Redis;
import io.vertx.mutiny.redis.client.Request;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;

/** A flag with 5 variations and dense registers on each of 30 days, written as the service would have. */
final class DenseFlag {

    static final String ID = "dense-flag";
    static final int VARIATIONS = 5;
    private static final int DAYS = 30;
    private static final int USERS_A_DAY = 20_000;
    private static final int USERS_A_COMMAND = 1_000;
    private static final Duration PATIENCE = Duration.ofSeconds(60);

    private DenseFlag() {}

    static String variation(int number) {
        return "variation-" + number;
    }

    static void plant(Redis redis) {
        Instant today = Instant.now().truncatedTo(ChronoUnit.DAYS);
        for (int variation = 0; variation < VARIATIONS; variation++) {
            String id = variation(variation);
            List<Request> commands = new ArrayList<>();
            for (int day = 0; day < DAYS; day++) {
                Instant start = today.minus(day, ChronoUnit.DAYS);
                commands.add(Request.cmd(Command.SET)
                        .arg("ec:" + start.getEpochSecond() + ":" + ID + ":" + id)
                        .arg(3L * USERS_A_DAY));
                String users = "uc:" + start.getEpochSecond() + ":" + ID + ":" + id;
                for (int from = 0; from < USERS_A_DAY; from += USERS_A_COMMAND) {
                    Request add = Request.cmd(Command.PFADD).arg(users);
                    for (int i = from; i < from + USERS_A_COMMAND; i++) {
                        add.arg("user-" + variation + "-" + (day * 1_000 + i));
                    }
                    commands.add(add);
                }
            }
            commands.add(Request.cmd(Command.ZADD)
                    .arg("catalog:variations:" + ID)
                    .arg(today.getEpochSecond())
                    .arg(id));
            var unused = redis.batch(commands).await().atMost(PATIENCE);
        }
    }
}
