package io.flagtally.store.redis;

import io.flagtally.event.IdFault;
import io.flagtally.event.VariationId;
import io.flagtally.platform.error.ErrorCode;
import io.flagtally.platform.error.RefusedException;
import io.vertx.mutiny.redis.client.Command;
import io.vertx.mutiny.redis.client.Request;
import io.vertx.mutiny.redis.client.Response;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.Iterator;
import java.util.List;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** The commands that read, and their replies; none is of Redis' category {@code @write}. */
final class ReadCommands {

    /** Order of ids: by their UTF-8 bytes. */
    static final Comparator<String> BY_ID =
            Comparator.comparing(id -> id.getBytes(StandardCharsets.UTF_8), Arrays::compareUnsigned);

    /** Order of variations: by id, {@code default} last. */
    private static final Comparator<VariationId> DEFAULT_LAST = Comparator.<VariationId, Boolean>comparing(
                    VariationId.DEFAULT::equals)
            .thenComparing(VariationId::value, BY_ID);

    /** Most variations of a flag that are read; more than are ever kept. */
    private static final int VARIATIONS_MAX = 1_000;

    /** Most keys that one MGET names, so that none keeps Redis busy for long. */
    private static final int KEYS_MAX = 1_000;

    private ReadCommands() {}

    /** Asks for the variations of a flag. */
    static Request variations(String key) {
        return Request.cmd(Command.ZRANGE).arg(key).arg(0).arg(VARIATIONS_MAX - 1);
    }

    /** Asks for the variations of a flag that had an event on the day of {@code second} or later. */
    static Request variationsSince(String key, long second) {
        return membersSince(key, second, VARIATIONS_MAX);
    }

    /** Asks for the members whose score is {@code second} or more. */
    static Request membersSince(String key, long second, int max) {
        return Request.cmd(Command.ZREVRANGEBYSCORE)
                .arg(key)
                .arg("+inf")
                .arg(second)
                .arg("LIMIT")
                .arg(0)
                .arg(max);
    }

    /** Asks for the members of the highest scores, and the scores. */
    static Request highestScored(String key, int max) {
        return Request.cmd(Command.ZREVRANGE).arg(key).arg(0).arg(max - 1).arg("WITHSCORES");
    }

    /** Asks for the score of a member. */
    static Request score(String key, String member) {
        return Request.cmd(Command.ZSCORE).arg(key).arg(member);
    }

    /** Asks how many members there are. */
    static Request size(String key) {
        return Request.cmd(Command.ZCARD).arg(key);
    }

    /** Returns a score, as the instant that it is. */
    static Instant second(Response score) {
        return Instant.ofEpochSecond((long) Double.parseDouble(score.toString()));
    }

    /** Returns the variations of a reply, by id, {@code default} last. What cannot be an id is left out. */
    static List<VariationId> variationIds(Response reply) {
        List<VariationId> variations = new ArrayList<>(reply.size());
        for (Response member : reply) {
            String id = member.toString();
            if (IdFault.of(id) == null) {
                variations.add(new VariationId(id));
            }
        }
        variations.sort(DEFAULT_LAST);
        return variations;
    }

    /** Asks for integers, in as few commands as may be. */
    static List<Request> numbers(List<String> keys) {
        List<Request> requests = new ArrayList<>();
        for (int from = 0; from < keys.size(); from += KEYS_MAX) {
            Request request = Request.cmd(Command.MGET);
            keys.subList(from, Math.min(from + KEYS_MAX, keys.size())).forEach(request::arg);
            requests.add(request);
        }
        return requests;
    }

    /** Returns the {@code count} integers that {@link #numbers(List)} asked for, 0 for what is not there. */
    static List<Long> numbers(int count, Iterator<Response> replies) {
        return numbers(count, replies, ReadCommands::number);
    }

    /** Returns the sum of those of the {@code count} counters that hold an integer, to rank by it. */
    static long sumOfUsable(int count, Iterator<Response> replies) {
        return numbers(count, replies, ReadCommands::numberOrZero).stream()
                .mapToLong(Long::longValue)
                .sum();
    }

    private static List<Long> numbers(
            int count, Iterator<Response> replies, Function<@Nullable Response, Long> number) {
        List<Long> numbers = new ArrayList<>(count);
        while (numbers.size() < count) {
            for (Response each : replies.next()) {
                numbers.add(number.apply(each));
            }
        }
        return numbers;
    }

    private static long numberOrZero(@Nullable Response reply) {
        try {
            return number(reply);
        } catch (RefusedException unusable) {
            return 0;
        }
    }

    private static long number(@Nullable Response reply) {
        if (reply == null) {
            return 0;
        }
        try {
            return Long.parseLong(reply.toString());
        } catch (NumberFormatException e) {
            throw new RefusedException(ErrorCode.COUNTER_UNUSABLE, "A counter in Redis does not hold an integer.");
        }
    }

    /** Asks how many users the union of {@code keys} holds. */
    static Request users(List<String> keys) {
        Request request = Request.cmd(Command.PFCOUNT);
        keys.forEach(request::arg);
        return request;
    }
}
