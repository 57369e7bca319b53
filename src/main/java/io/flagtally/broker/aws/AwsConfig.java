package io.flagtally.broker.aws;

import io.smallrye.config.ConfigMapping;
import io.smallrye.config.WithDefault;
import java.time.Duration;
import java.util.Optional;

/**
 * Amazon SNS and SQS. Who calls, the AWS SDK finds out by itself: from {@code AWS_ACCESS_KEY_ID} and
 * {@code AWS_SECRET_ACCESS_KEY}, a profile, or the role of the pod, the task or the machine.
 */
@ConfigMapping(prefix = "flagtally.broker.aws")
public interface AwsConfig {

    /** The region of topics and queues; without it the AWS SDK's own settings decide ({@code AWS_REGION}). */
    Optional<String> region();

    /** Where SQS answers, if not at AWS. */
    Optional<String> sqsEndpoint();

    /** Where SNS answers, if not at AWS. */
    Optional<String> snsEndpoint();

    /**
     * How long a received message stays hidden from others; asked for anew while it is being worked on. Whole seconds;
     * after a crash its messages come again after this time.
     */
    @WithDefault("60S")
    Duration visibility();

    /** Messages on their way to AWS at once. */
    @WithDefault("32")
    int sendsMax();
}
