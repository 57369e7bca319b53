package io.flagtally.ingest;

import io.flagtally.event.EnvironmentId;
import io.flagtally.event.EventId;
import io.flagtally.event.GoalEvent;
import io.flagtally.event.GoalId;
import io.flagtally.event.IdFault;
import io.flagtally.event.SourceId;
import io.flagtally.event.UserId;
import io.flagtally.platform.error.ErrorCode;
import io.flagtally.platform.error.RefusedException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Instant;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * The parameters of a tracking pixel, as they came.
 *
 * @param timestamp Unix seconds; without it the goal was reached now
 */
record TrackedGoal(
        @Nullable String key,
        @Nullable String user,
        @Nullable String goal,
        @Nullable String tag,
        @Nullable String timestamp,
        @Nullable String value) {

    private static final int NUMBER_CHARS_MAX = 64;

    /**
     * Returns the event; the same parameters with the same timestamp are the same event, so that a page that is loaded
     * again counts once.
     *
     * @throws RefusedException with the first fault, in the order of the wire contract
     */
    GoalEvent event(EnvironmentId environment, EventTimes times, Instant now) {
        GoalId goalId = new GoalId(text(goal, "goal_id"));
        UserId userId = new UserId(text(user, "user_id"));
        double worth = worth();
        Instant time = time(times, now);
        return new GoalEvent(id(time), environment, goalId, worth, userId, time, SourceId.WEB);
    }

    private boolean hasTimestamp() {
        return timestamp != null && !timestamp.isEmpty();
    }

    private double worth() {
        if (value == null || value.isEmpty()) {
            return 0;
        }
        try {
            double parsed = value.length() > NUMBER_CHARS_MAX ? Double.NaN : Double.parseDouble(value);
            if (Double.isFinite(parsed)) {
                return parsed;
            }
        } catch (NumberFormatException e) {
            // Falls through to the refusal.
        }
        throw refused("gateway: value is invalid");
    }

    private Instant time(EventTimes times, Instant now) {
        if (!hasTimestamp()) {
            return Instant.ofEpochSecond(now.getEpochSecond());
        }
        try {
            Instant time = Instant.ofEpochSecond(Long.parseLong(String.valueOf(timestamp)));
            if (times.contain(time)) {
                return time;
            }
        } catch (NumberFormatException | java.time.DateTimeException e) {
            // Falls through to the refusal.
        }
        throw refused("gateway: invalid event timestamp");
    }

    private EventId id(Instant time) {
        if (!hasTimestamp()) {
            UUID random = UUID.randomUUID();
            return new EventId(random.getMostSignificantBits(), random.getLeastSignificantBits());
        }
        ByteBuffer digest = ByteBuffer.wrap(digest(key, user, goal, tag, Long.toString(time.getEpochSecond())));
        long high = digest.getLong() & ~0xF000L | 0x4000L;
        long low = digest.getLong() & 0x3FFFFFFFFFFFFFFFL | 0x8000000000000000L;
        return new EventId(high, low);
    }

    /** SHA-256 over the parts, each with its length in front, so that no two lists of parts read the same. */
    private static byte[] digest(@Nullable String... parts) {
        try {
            MessageDigest sha = MessageDigest.getInstance("SHA-256");
            for (String part : parts) {
                byte[] bytes = (part == null ? "" : part).getBytes(StandardCharsets.UTF_8);
                sha.update(ByteBuffer.allocate(Integer.BYTES).putInt(0, bytes.length));
                sha.update(bytes);
            }
            return sha.digest();
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every JDK has SHA-256", e);
        }
    }

    private static String text(@Nullable String text, String name) {
        IdFault fault = IdFault.of(text);
        if (fault == null && text != null) {
            return text;
        }
        throw refused("gateway: " + name
                + switch (fault == null ? IdFault.EMPTY : fault) {
                    case EMPTY -> " is empty";
                    case TOO_LONG -> " is too long";
                    case INVALID -> " is invalid";
                });
    }

    private static RefusedException refused(String message) {
        return new RefusedException(ErrorCode.INVALID_ARGUMENT, message);
    }
}
