package io.flagtally.broker.gcp;

import com.google.api.core.ApiFuture;
import com.google.api.core.ApiFutureCallback;
import com.google.api.core.ApiFutures;
import com.google.api.gax.grpc.InstantiatingGrpcChannelProvider;
import com.google.api.gax.retrying.RetrySettings;
import com.google.api.gax.rpc.StatusCode.Code;
import com.google.cloud.pubsub.v1.stub.GrpcPublisherStub;
import com.google.cloud.pubsub.v1.stub.GrpcSubscriberStub;
import com.google.cloud.pubsub.v1.stub.PublisherStub;
import com.google.cloud.pubsub.v1.stub.PublisherStubSettings;
import com.google.cloud.pubsub.v1.stub.SubscriberStub;
import com.google.cloud.pubsub.v1.stub.SubscriberStubSettings;
import com.google.common.util.concurrent.MoreExecutors;
import io.flagtally.broker.BrokerAddress;
import io.flagtally.broker.BrokerStartException;
import io.grpc.ManagedChannelBuilder;
import io.smallrye.mutiny.Uni;
import io.smallrye.mutiny.infrastructure.Infrastructure;
import jakarta.annotation.PreDestroy;
import jakarta.inject.Inject;
import jakarta.inject.Singleton;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * The clients of Pub/Sub, made when they are first needed, on a worker thread, for Google's library then looks for
 * credentials and may ask the machine for them. A failure to make them is not remembered.
 */
@Singleton
class GcpClients implements AutoCloseable {

    /** A call that is to be answered at once; the library repeats what may be repeated within it. */
    private static final Duration CALL_TIMEOUT = Duration.ofSeconds(10);

    /** Pub/Sub holds a pull open until a message comes; a longer silence is no answer. */
    private static final Duration PULL_TIMEOUT = Duration.ofSeconds(30);

    /** As often as Google's front ends allow; finds connections that are dead and do not say so. */
    private static final Duration KEEP_ALIVE = Duration.ofMinutes(5);

    /** What may work a moment later, throttling included; for sending, the library knows it by itself. */
    private static final Set<Code> LATER =
            Set.of(Code.ABORTED, Code.INTERNAL, Code.RESOURCE_EXHAUSTED, Code.UNAVAILABLE, Code.UNKNOWN);

    /** Pub/Sub's own bound of a message, headers included. */
    private static final int MESSAGE_BYTES_MAX = 10_000_000;

    private static final int INBOUND_BYTES_MAX = (PubSubQueue.BATCH_MAX + 1) * MESSAGE_BYTES_MAX;

    private static final int EMULATOR_PORT = 8085;

    private final GcpConfig config;
    private volatile @Nullable PublisherStub publisher;
    private volatile @Nullable SubscriberStub subscriber;
    private boolean closed;

    @Inject
    GcpClients(GcpConfig config) {
        this.config = config;
    }

    /** @throws BrokerStartException if it is no address */
    Optional<BrokerAddress> emulator() {
        return config.emulatorHost()
                .map(at -> BrokerAddress.all(List.of(at), EMULATOR_PORT, "flagtally.broker.gcp.emulator-host")
                        .get(0));
    }

    /** Calls when it is subscribed to; fails with the library's own failure. */
    <T> Uni<T> publisher(Function<PublisherStub, ApiFuture<T>> call) {
        PublisherStub made = publisher;
        Uni<PublisherStub> stub = made != null
                ? Uni.createFrom().item(made)
                : Uni.createFrom()
                        .item(() -> unchecked(this::makePublisher))
                        .runSubscriptionOn(Infrastructure.getDefaultWorkerPool());
        return stub.chain(to -> answer(call, to)).onFailure(NoClient.class).transform(Throwable::getCause);
    }

    /** Calls when it is subscribed to; fails with the library's own failure. */
    <T> Uni<T> subscriber(Function<SubscriberStub, ApiFuture<T>> call) {
        SubscriberStub made = subscriber;
        Uni<SubscriberStub> stub = made != null
                ? Uni.createFrom().item(made)
                : Uni.createFrom()
                        .item(() -> unchecked(this::makeSubscriber))
                        .runSubscriptionOn(Infrastructure.getDefaultWorkerPool());
        return stub.chain(to -> answer(call, to)).onFailure(NoClient.class).transform(Throwable::getCause);
    }

    @Override
    @PreDestroy
    public synchronized void close() {
        closed = true;
        PublisherStub toPublish = publisher;
        if (toPublish != null) {
            toPublish.shutdownNow();
        }
        SubscriberStub toSubscribe = subscriber;
        if (toSubscribe != null) {
            toSubscribe.shutdownNow();
        }
    }

    private static <S, T> Uni<T> answer(Function<S, ApiFuture<T>> call, S stub) {
        return Uni.createFrom()
                .emitter(emitter -> ApiFutures.addCallback(
                        call.apply(stub),
                        new ApiFutureCallback<T>() {
                            @Override
                            public void onFailure(Throwable failure) {
                                emitter.fail(failure);
                            }

                            @Override
                            public void onSuccess(T answer) {
                                emitter.complete(answer);
                            }
                        },
                        MoreExecutors.directExecutor()));
    }

    private synchronized PublisherStub makePublisher() throws IOException {
        PublisherStub made = publisher;
        if (made != null) {
            return made;
        }
        requireOpen();
        PublisherStubSettings.Builder settings = PublisherStubSettings.newBuilder();
        settings.publishSettings().setRetrySettings(retries(CALL_TIMEOUT));
        settings.getTopicSettings().setRetrySettings(retries(CALL_TIMEOUT));
        settings.setTransportChannelProvider(channel(PublisherStubSettings.defaultGrpcTransportProviderBuilder()));
        settings.setCredentialsProvider(new GcpCredentials(config).provider());
        PublisherStub making = GrpcPublisherStub.create(settings.build());
        publisher = making;
        return making;
    }

    private synchronized SubscriberStub makeSubscriber() throws IOException {
        SubscriberStub made = subscriber;
        if (made != null) {
            return made;
        }
        requireOpen();
        SubscriberStubSettings.Builder settings = SubscriberStubSettings.newBuilder();
        settings.pullSettings().setRetrySettings(retries(PULL_TIMEOUT)).setRetryableCodes(LATER);
        settings.acknowledgeSettings().setRetrySettings(retries(CALL_TIMEOUT)).setRetryableCodes(LATER);
        settings.modifyAckDeadlineSettings()
                .setRetrySettings(retries(CALL_TIMEOUT))
                .setRetryableCodes(LATER);
        settings.getSubscriptionSettings().setRetrySettings(retries(CALL_TIMEOUT));
        settings.setTransportChannelProvider(channel(SubscriberStubSettings.defaultGrpcTransportProviderBuilder()));
        settings.setCredentialsProvider(new GcpCredentials(config).provider());
        SubscriberStub making = GrpcSubscriberStub.create(settings.build());
        subscriber = making;
        return making;
    }

    private void requireOpen() throws IOException {
        if (closed) {
            throw new IOException("the client is closed");
        }
    }

    private InstantiatingGrpcChannelProvider channel(InstantiatingGrpcChannelProvider.Builder channel) {
        emulator()
                .ifPresent(at ->
                        channel.setEndpoint(at.toString()).setChannelConfigurator(ManagedChannelBuilder::usePlaintext));
        return channel.setMaxInboundMessageSize(INBOUND_BYTES_MAX)
                .setKeepAliveTimeDuration(KEEP_ALIVE)
                .build();
    }

    private static RetrySettings retries(Duration total) {
        return RetrySettings.newBuilder()
                .setInitialRetryDelayDuration(Duration.ofMillis(50))
                .setRetryDelayMultiplier(2)
                .setMaxRetryDelayDuration(Duration.ofSeconds(2))
                .setInitialRpcTimeoutDuration(total)
                .setRpcTimeoutMultiplier(1)
                .setMaxRpcTimeoutDuration(total)
                .setTotalTimeoutDuration(total)
                .build();
    }

    private static <S> S unchecked(Making<S> making) {
        try {
            return making.make();
        } catch (IOException e) {
            throw new NoClient(e);
        }
    }

    private interface Making<S> {
        S make() throws IOException;
    }

    private static final class NoClient extends RuntimeException {
        private static final long serialVersionUID = 1L;

        NoClient(IOException cause) {
            super(cause);
        }
    }
}
