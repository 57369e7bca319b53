package io.flagtally.testing;

import com.google.pubsub.v1.PubsubMessage;
import com.google.pubsub.v1.ReceivedMessage;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.TreeMap;
import java.util.UUID;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * A subscription of {@link PubSubForTests}, guarded by it. With ordering, messages of a key are lent to one pull at a time,
 * and with one that comes again all later ones of its key come again, acknowledged or not, as Pub/Sub says of its own.
 */
final class PubSubSubscription {

    /** What Pub/Sub marks a message with that it moves to the dead-letter topic of a subscription. */
    static final String DEAD_LETTER_SOURCE = "CloudPubSubDeadLetterSourceSubscription";

    private static final int EARLY_EVERY = 17;

    private static final class Held {
        private final String id = UUID.randomUUID().toString();
        private final PubsubMessage message;
        private int attempts;
        private boolean acknowledged;
        private @Nullable String lease;
        private long dueNanos;

        Held(PubsubMessage message) {
            this.message = message;
        }
    }

    private record DeadLetters(int attempts, Consumer<PubsubMessage> topic) {}

    private final String name;
    private final boolean ordered;
    private final Duration deadline;
    private final boolean harsh;
    private final TreeMap<Long, Held> messages = new TreeMap<>();
    private @Nullable DeadLetters deadLetters;
    private long places;
    private long lendings;

    /** @param harsh whether every 17th lease ends after a tenth of its time */
    PubSubSubscription(String name, boolean ordered, Duration deadline, boolean harsh) {
        this.name = name;
        this.ordered = ordered;
        this.deadline = deadline;
        this.harsh = harsh;
    }

    /** Moves a message to {@code topic} when it was lent this often, and tells from now on how often it was. */
    void deadLetters(int attempts, Consumer<PubsubMessage> topic) {
        deadLetters = new DeadLetters(attempts, topic);
    }

    boolean isOrdered() {
        return ordered;
    }

    void add(PubsubMessage message) {
        places++;
        messages.put(places, new Held(message));
    }

    long backlog() {
        return waitingOrLent().count();
    }

    long lent() {
        return messages.values().stream().filter(held -> held.lease != null).count();
    }

    /** Takes all that is not acknowledged. */
    List<PubsubMessage> take() {
        List<PubsubMessage> taken = waitingOrLent().map(held -> held.message).toList();
        messages.clear();
        return taken;
    }

    /** Lends up to this many messages. */
    List<ReceivedMessage> lend(int countMax) {
        takeBackDue();
        Set<String> keysLent = new HashSet<>();
        messages.values().stream()
                .filter(held -> held.lease != null && isKeyed(held))
                .forEach(held -> keysLent.add(held.message.getOrderingKey()));
        List<ReceivedMessage> lent = new ArrayList<>();
        for (Held held : List.copyOf(messages.values())) {
            boolean free = held.lease == null && !held.acknowledged;
            if (free && !keysLent.contains(held.message.getOrderingKey()) && !goesAside(held)) {
                lent.add(lend(held));
            }
            if (lent.size() == countMax) {
                break;
            }
        }
        return lent;
    }

    void acknowledge(List<String> leases) {
        takeBackDue();
        lentBy(leases).forEach(held -> {
            held.lease = null;
            held.acknowledged = true;
        });
        forgetAcknowledged();
    }

    /** Lends these messages for another while from now; for no time, takes them back. */
    void extend(List<String> leases, Duration by) {
        takeBackDue();
        for (Held held : lentBy(leases)) {
            if (by.isZero()) {
                takeBack(held);
            } else {
                dueAfter(held, by);
            }
        }
    }

    private Stream<Held> waitingOrLent() {
        return messages.values().stream().filter(held -> !held.acknowledged);
    }

    private List<Held> lentBy(List<String> leases) {
        Set<String> wanted = new HashSet<>(leases);
        return messages.values().stream()
                .filter(held -> held.lease != null && wanted.contains(held.lease))
                .toList();
    }

    private ReceivedMessage lend(Held held) {
        held.attempts++;
        held.lease = held.id + "/" + held.attempts;
        dueAfter(held, deadline);
        return ReceivedMessage.newBuilder()
                .setAckId(held.lease)
                .setMessage(held.message.toBuilder().setMessageId(held.id))
                .setDeliveryAttempt(deadLetters == null ? 0 : held.attempts)
                .build();
    }

    private boolean goesAside(Held held) {
        DeadLetters aside = deadLetters;
        if (aside == null || held.attempts < aside.attempts()) {
            return false;
        }
        aside.topic()
                .accept(held.message.toBuilder()
                        .putAttributes(DEAD_LETTER_SOURCE, name)
                        .build());
        held.acknowledged = true;
        forgetAcknowledged();
        return true;
    }

    private void dueAfter(Held held, Duration lease) {
        lendings++;
        Duration given = harsh && lendings % EARLY_EVERY == 0 ? lease.dividedBy(10) : lease;
        held.dueNanos = System.nanoTime() + given.toNanos();
    }

    private void takeBackDue() {
        long now = System.nanoTime();
        messages.values().stream()
                .filter(held -> held.lease != null && held.dueNanos - now < 0)
                .toList()
                .forEach(this::takeBack);
    }

    /** With ordering, later ones of its key with it. */
    private void takeBack(Held first) {
        first.lease = null;
        if (isKeyed(first)) {
            boolean later = false;
            for (Held held : messages.values()) {
                if (later && held.message.getOrderingKey().equals(first.message.getOrderingKey())) {
                    held.lease = null;
                    held.acknowledged = false;
                }
                later |= held == first;
            }
        }
    }

    /** Those of a key are kept while an earlier one of the key may come again. */
    private void forgetAcknowledged() {
        Set<String> keysOpen = new HashSet<>();
        messages.values().removeIf(held -> {
            String key = held.message.getOrderingKey();
            if (!held.acknowledged && isKeyed(held)) {
                boolean unused = keysOpen.add(key);
            }
            return held.acknowledged && !keysOpen.contains(key);
        });
    }

    private boolean isKeyed(Held held) {
        return ordered && !held.message.getOrderingKey().isEmpty();
    }
}
