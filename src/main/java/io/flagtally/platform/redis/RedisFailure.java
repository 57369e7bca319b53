package io.flagtally.platform.redis;

import io.vertx.redis.client.Response;
import java.nio.channels.ClosedChannelException;
import java.util.regex.Pattern;

/** Tells a Redis that is away from a command that Redis will never take. */
public final class RedisFailure {

    /**
     * Error replies that speak of the server, not of the command. A reply begins with its code; inside the message of
     * a failed script (Redis 6.2) the code follows a {@code -}.
     */
    private static final Pattern OF_THE_SERVER = Pattern.compile("(^-?|[ :]-|^ERR )(CONNECTION_CLOSED|LOADING|READONLY"
            + "|MASTERDOWN|OOM|CLUSTERDOWN|BUSY|MISCONF|NOREPLICAS|TRYAGAIN|MOVED|ASK|NOAUTH|WRONGPASS|NOPERM"
            + "|NOSCRIPT|STALE|max number of clients|unknown command)\\b|Script attempted to access a non local key");

    private RedisFailure() {}

    /** Whether the same command may succeed later. What is neither a reply nor a fault of ours is the network's. */
    public static boolean isOfTheServer(Throwable failure) {
        if (failure instanceof Response) {
            return OF_THE_SERVER.matcher(text(failure)).find();
        }
        return !(failure instanceof NullPointerException
                || failure instanceof IllegalArgumentException
                || failure instanceof IndexOutOfBoundsException);
    }

    /** Whether Redis does not know the script. */
    public static boolean isNoScript(Throwable failure) {
        return failure instanceof Response && text(failure).startsWith("NOSCRIPT");
    }

    /** What it says, for a person. */
    public static String text(Throwable failure) {
        if (failure instanceof ClosedChannelException) {
            return "the connection was closed";
        }
        String message = failure.getMessage();
        return message == null ? failure.getClass().getSimpleName() : message;
    }
}
