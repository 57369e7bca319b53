package io.flagtally.broker.gcp;

import io.smallrye.config.ConfigMapping;
import io.smallrye.config.WithDefault;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;

/** Google Pub/Sub (profile {@code gcp}). */
@ConfigMapping(prefix = "flagtally.broker.gcp")
public interface GcpConfig {

    /** The project of topics and subscriptions that are written by their name alone. */
    Optional<String> project();

    /**
     * The JSON file of the service account that calls. Without it Google's library finds out who calls: from the file that
     * {@code GOOGLE_APPLICATION_CREDENTIALS} names, or the service account of the pod or the machine.
     */
    Optional<Path> credentialsFile();

    /** An emulator as {@code host:port}; spoken to in plain text and without credentials. */
    @WithDefault("${PUBSUB_EMULATOR_HOST:}")
    Optional<String> emulatorHost();

    /**
     * How long a message stays with this process; asked for anew while it is being worked on. 1 to 600 whole seconds;
     * after a crash its messages come again after this time.
     */
    @WithDefault("60S")
    Duration ackDeadline();

    /** Messages on their way to Pub/Sub at once. */
    @WithDefault("32")
    int sendsMax();
}
