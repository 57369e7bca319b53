package io.flagtally.broker.kafka;

import io.flagtally.platform.config.BrokerConfig;
import io.quarkus.runtime.ShutdownEvent;
import io.smallrye.common.annotation.Identifier;
import io.smallrye.reactive.messaging.kafka.KafkaConsumerRebalanceListener;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Observes;
import jakarta.enterprise.event.Reception;
import jakarta.inject.Inject;
import java.time.Duration;
import java.util.Collection;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.KafkaFuture;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.RetriableException;
import org.jboss.logging.Logger;

/**
 * Knows which records may have been delivered before. Kafka does not tell: it has the committed offset only, and what was
 * delivered and not yet committed when a process died looks like what nobody has seen.
 *
 * <p>Implementation note: a second group, {@code <group>.delivered}, has no members; its offset of a partition is a mark
 * below which everything that was ever delivered lies. Whoever owns the partition raises it ahead of what it reads, by
 * {@link #STRIDE}, and lowers it to what it has really read when it gives the partition back in order. A record was perhaps
 * delivered before if it lies below the mark found at the assignment and had been written by then. So after a crash at
 * most {@link #STRIDE} records a partition are taken for redelivered that are not: they are counted all the same, unless
 * they were accepted longer ago than the deduplication window.
 */
@ApplicationScoped
@Identifier(DeliveredMarks.NAME)
class DeliveredMarks implements KafkaConsumerRebalanceListener {

    /** As in {@code consumer-rebalance-listener.name}. */
    static final String NAME = "flagtally-delivered";

    static final int STRIDE = 2_000;

    private static final long UNKNOWN = Long.MAX_VALUE;
    private static final Logger LOG = Logger.getLogger(DeliveredMarks.class);
    private static final Duration PATIENCE = Duration.ofSeconds(10);

    /** Below {@code max.poll.interval.ms}, after which Kafka gives the partitions to others. */
    private static final Duration TRIES = Duration.ofMinutes(2);

    private static final Duration PAUSE = Duration.ofSeconds(1);

    private final KafkaAdmin admin;
    private final String group;
    private final Duration patience;
    private volatile boolean stopping;
    private final Map<TopicPartition, Owned> owned = new ConcurrentHashMap<>();

    /** A partition that this process reads. */
    private static final class Owned {
        private final long deliveredBefore;
        private final AtomicLong raisedTo;
        private final AtomicLong next = new AtomicLong(-1);

        Owned(long deliveredBefore, long raisedTo) {
            this.deliveredBefore = deliveredBefore;
            this.raisedTo = new AtomicLong(raisedTo);
        }
    }

    @Inject
    DeliveredMarks(KafkaAdmin admin, BrokerConfig config) {
        this(admin, config, PATIENCE);
    }

    DeliveredMarks(KafkaAdmin admin, BrokerConfig config, Duration patience) {
        this.admin = admin;
        this.group = groupOf(config.consumerGroup());
        this.patience = patience;
    }

    /** The group that keeps the marks of {@code group}. */
    static String groupOf(String group) {
        return group + ".delivered";
    }

    /** Notes that the record is delivered now; returns whether it may have been before. */
    boolean passed(TopicPartition partition, long offset) {
        Owned place = owned.get(partition);
        if (place == null) {
            // Given away while it lay in the connector's queue: its next owner gets it too.
            return true;
        }
        place.next.accumulateAndGet(offset + 1, Math::max);
        long raised = place.raisedTo.get();
        if (offset >= raised - STRIDE / 2 && place.raisedTo.compareAndSet(raised, offset + STRIDE)) {
            var unused = write(Map.of(partition, offset + STRIDE)).whenComplete((done, failure) -> {
                if (failure != null) {
                    LOG.warnf("Cannot mark what was delivered of %s in the group %s: %s", partition, group, failure);
                }
            });
        }
        return offset < place.deliveredBefore;
    }

    /** Tries for a while: what may all have been delivered before goes aside when it is older than the window. */
    @Override
    public void onPartitionsAssigned(Consumer<?, ?> consumer, Collection<TopicPartition> partitions) {
        partitions.forEach(owned::remove);
        long end = System.nanoTime() + TRIES.toNanos();
        while (true) {
            try {
                mark(consumer, partitions);
                return;
            } catch (KafkaException e) {
                boolean again = e instanceof RetriableException && System.nanoTime() < end && !stopping && pause();
                if (!again) {
                    LOG.errorf(
                            "Cannot tell what was delivered before by the group %s, so all of it may have been: %s",
                            group, e);
                    partitions.forEach(each -> owned.putIfAbsent(each, new Owned(UNKNOWN, 0)));
                    return;
                }
                LOG.debugf("The marks of the group %s are asked for again: %s", group, e);
            }
        }
    }

    private void mark(Consumer<?, ?> consumer, Collection<TopicPartition> partitions) {
        Map<TopicPartition, Long> raised = new HashMap<>();
        Map<TopicPartition, OffsetAndMetadata> marks = KafkaAdmin.get(
                admin.client().listConsumerGroupOffsets(group).partitionsToOffsetAndMetadata(), patience);
        Map<TopicPartition, Long> ends = consumer.endOffsets(partitions, patience);
        for (TopicPartition partition : partitions) {
            OffsetAndMetadata stored = marks.get(partition);
            long before = Math.min(stored == null ? 0 : stored.offset(), ends.getOrDefault(partition, 0L));
            long ahead = Math.max(before, consumer.position(partition, patience)) + STRIDE;
            Owned found = owned.computeIfAbsent(partition, each -> new Owned(before, ahead));
            raised.put(partition, found.raisedTo.get());
        }
        var unused = raised.isEmpty() ? null : KafkaAdmin.get(write(raised), patience);
    }

    void stop(@Observes(notifyObserver = Reception.IF_EXISTS) ShutdownEvent stop) {
        stopping = true;
    }

    /** @return whether nobody wants this thread to end */
    private static boolean pause() {
        try {
            Thread.sleep(PAUSE.toMillis());
            return true;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return false;
        }
    }

    @Override
    public void onPartitionsRevoked(Consumer<?, ?> consumer, Collection<TopicPartition> partitions) {
        Map<TopicPartition, Long> exact = new HashMap<>();
        for (TopicPartition partition : partitions) {
            Owned place = owned.remove(partition);
            if (place != null && place.deliveredBefore != UNKNOWN) {
                exact.put(partition, Math.max(place.next.get(), place.deliveredBefore));
            }
        }
        try {
            var unused = exact.isEmpty() ? null : KafkaAdmin.get(write(exact), patience);
        } catch (KafkaException e) {
            LOG.debugf("The marks of %s stay where they are: %s", exact.keySet(), e);
        }
    }

    @Override
    public void onPartitionsLost(Consumer<?, ?> consumer, Collection<TopicPartition> partitions) {
        partitions.forEach(owned::remove);
    }

    private KafkaFuture<Void> write(Map<TopicPartition, Long> marks) {
        Map<TopicPartition, OffsetAndMetadata> offsets = new HashMap<>();
        marks.forEach((partition, offset) -> offsets.put(partition, new OffsetAndMetadata(offset)));
        return admin.client().alterConsumerGroupOffsets(group, offsets).all();
    }
}
