package io.flagtally.broker.aws;

import io.smallrye.mutiny.Uni;
import jakarta.annotation.PreDestroy;
import jakarta.inject.Inject;
import jakarta.inject.Singleton;
import java.net.URI;
import java.time.Duration;
import java.util.concurrent.CompletionException;
import software.amazon.awssdk.auth.credentials.DefaultCredentialsProvider;
import software.amazon.awssdk.awscore.client.builder.AwsClientBuilder;
import software.amazon.awssdk.http.nio.netty.NettyNioAsyncHttpClient;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.services.sns.SnsAsyncClient;
import software.amazon.awssdk.services.sqs.SqsAsyncClient;

/**
 * The clients of SNS and SQS, made when they are first needed.
 *
 * <p>Credentials that expire are renewed ahead of that in the background: to fetch them takes a call that blocks, and
 * the first one is made by {@link AwsCheck} before the channels open.
 */
@Singleton
class AwsClients implements AutoCloseable {

    private static final Duration CONNECT_TIMEOUT = Duration.ofSeconds(5);

    /** Longer than SQS lets a receiver wait. */
    private static final Duration READ_TIMEOUT = Duration.ofSeconds(35);

    private final AwsConfig config;
    private final Lazy<DefaultCredentialsProvider> credentials = new Lazy<>(() -> DefaultCredentialsProvider.builder()
            .asyncCredentialUpdateEnabled(true)
            .build());
    private final Lazy<SqsAsyncClient> sqs = new Lazy<>(this::newSqs);
    private final Lazy<SnsAsyncClient> sns = new Lazy<>(this::newSns);

    @Inject
    AwsClients(AwsConfig config) {
        this.config = config;
    }

    SqsAsyncClient sqs() {
        return sqs.get();
    }

    SnsAsyncClient sns() {
        return sns.get();
    }

    /** Asks for the URL of the queue; fails with the SDK's own failure. */
    Uni<String> queueUrl(AwsAddress queue) {
        if (queue.kind() == AwsAddress.Kind.QUEUE_URL) {
            return Uni.createFrom().item(queue.text());
        }
        return Uni.createFrom()
                .completionStage(() -> sqs().getQueueUrl(request -> request.queueName(queue.name())
                        .queueOwnerAWSAccountId(queue.account().orElse(null))))
                .map(answer -> answer.queueUrl())
                .onFailure(CompletionException.class)
                .transform(Throwable::getCause);
    }

    @Override
    @PreDestroy
    public void close() {
        sqs.ifMade(SqsAsyncClient::close);
        sns.ifMade(SnsAsyncClient::close);
        credentials.ifMade(DefaultCredentialsProvider::close);
    }

    private SqsAsyncClient newSqs() {
        var builder = SqsAsyncClient.builder()
                .httpClientBuilder(NettyNioAsyncHttpClient.builder()
                        .connectionTimeout(CONNECT_TIMEOUT)
                        .readTimeout(READ_TIMEOUT)
                        .maxConcurrency(config.sendsMax() * 3));
        config.sqsEndpoint().map(URI::create).ifPresent(builder::endpointOverride);
        return ready(builder).build();
    }

    private SnsAsyncClient newSns() {
        var builder = SnsAsyncClient.builder()
                .httpClientBuilder(NettyNioAsyncHttpClient.builder()
                        .connectionTimeout(CONNECT_TIMEOUT)
                        .readTimeout(READ_TIMEOUT)
                        .maxConcurrency(config.sendsMax()));
        config.snsEndpoint().map(URI::create).ifPresent(builder::endpointOverride);
        return ready(builder).build();
    }

    private <B extends AwsClientBuilder<B, C>, C> B ready(B builder) {
        builder.credentialsProvider(credentials.get());
        config.region().map(Region::of).ifPresent(builder::region);
        return builder;
    }
}
