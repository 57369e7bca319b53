package io.flagtally.broker;

import io.smallrye.mutiny.Uni;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletionStage;

/**
 * A port: a queue that lends messages for a time, as the queues of the clouds do. A message that is neither acknowledged
 * nor kept longer within {@link #lease} is delivered again, here or elsewhere.
 *
 * <p>An implementation blocks nobody and retries little: {@link LeasedSource} waits for a queue that is away.
 */
public interface LeasedQueue {

    /** The queue for a person: {@code the SQS queue flag-events}. */
    String name();

    /** How many messages, or leases, one call may be about. */
    int batchMax();

    /** How long a message is lent, and how much longer {@link #extend} makes it. */
    Duration lease();

    /**
     * Waits a while for messages; none may have come.
     *
     * @param countMax at most this many, between 1 and {@link #batchMax}
     */
    Uni<List<LeasedMessage>> receive(int countMax);

    /**
     * Done when the queue has forgotten these messages, or can no longer be told; fails if it may deliver one of them again
     * and that is worth a line in the log.
     */
    Uni<Void> acknowledge(List<String> leases);

    /** Keeps these messages for another {@link #lease} from now; a lease that has ended may be passed over. */
    Uni<Void> extend(List<String> leases);

    /** Lets these messages be delivered again now. */
    Uni<Void> giveBack(List<String> leases);

    /** One sentence for a person: what is wrong, and what to do. */
    String explain(Throwable failure);

    /** Ends the waiting for messages, at once. Done when the queue has been told what was given back; bounded by the caller. */
    CompletionStage<Void> close();
}
