package io.flagtally.broker.kafka;

import io.smallrye.common.annotation.Identifier;
import io.smallrye.mutiny.Uni;
import io.smallrye.reactive.messaging.kafka.IncomingKafkaRecord;
import io.smallrye.reactive.messaging.kafka.KafkaConnectorIncomingConfiguration;
import io.smallrye.reactive.messaging.kafka.KafkaConsumer;
import io.smallrye.reactive.messaging.kafka.fault.KafkaFailureHandler;
import io.vertx.mutiny.core.Vertx;
import jakarta.enterprise.context.ApplicationScoped;
import java.util.function.BiConsumer;
import org.eclipse.microprofile.reactive.messaging.Metadata;
import org.jboss.logging.Logger;

/**
 * What becomes of a record that is refused when the service stops (until then {@link io.flagtally.broker} delivers it
 * again): nothing. Its offset, and every one after it in its partition, stays uncommitted, so the next owner of the
 * partition gets it again. The connector's own strategies lose it, put it aside without a reason that Flagtally knows, or
 * end the channel.
 */
@ApplicationScoped
@Identifier(LeftUncommitted.NAME)
class LeftUncommitted implements KafkaFailureHandler.Factory {

    /** As in {@code failure-strategy}. */
    static final String NAME = "flagtally-leave";

    private static final Logger LOG = Logger.getLogger(LeftUncommitted.class);

    @Override
    public KafkaFailureHandler create(
            KafkaConnectorIncomingConfiguration config,
            Vertx vertx,
            KafkaConsumer<?, ?> consumer,
            BiConsumer<Throwable, Boolean> reportFailure) {
        return new Leaving();
    }

    private static final class Leaving implements KafkaFailureHandler {
        @Override
        public <K, V> Uni<Void> handle(IncomingKafkaRecord<K, V> record, Throwable reason, Metadata metadata) {
            LOG.infof(
                    "Record %d of %s-%d stays uncommitted and is delivered again: %s",
                    record.getOffset(), record.getTopic(), record.getPartition(), reason);
            return Uni.createFrom().voidItem();
        }
    }
}
