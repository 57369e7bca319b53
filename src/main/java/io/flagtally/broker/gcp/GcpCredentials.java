package io.flagtally.broker.gcp;

import com.google.api.gax.core.CredentialsProvider;
import com.google.api.gax.core.NoCredentialsProvider;
import com.google.auth.Credentials;
import com.google.auth.oauth2.GoogleCredentials;
import com.google.cloud.pubsub.v1.stub.PublisherStubSettings;
import io.flagtally.broker.BrokerStartException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/** Who calls Pub/Sub: nobody at an emulator, else the owner of a file, else whom Google's library finds by itself. */
final class GcpCredentials {

    private static final String FILE = "flagtally.broker.gcp.credentials-file";

    private final GcpConfig config;

    GcpCredentials(GcpConfig config) {
        this.config = config;
    }

    CredentialsProvider provider() {
        if (config.emulatorHost().isPresent()) {
            return NoCredentialsProvider.create();
        }
        return config.credentialsFile()
                .<CredentialsProvider>map(file -> () -> read(file))
                .orElseGet(() -> PublisherStubSettings.defaultCredentialsProviderBuilder()
                        .build());
    }

    /**
     * Blocks, for some seconds at most.
     *
     * @throws BrokerStartException if there are none, or none that Google could know
     */
    void require() {
        try {
            Credentials unused = provider().getCredentials();
        } catch (IOException | RuntimeException e) {
            String reason = e instanceof NoSuchFileException ? "there is no such file" : GcpFailure.oneLine(e);
            throw new BrokerStartException(config.credentialsFile()
                    .map(file -> FILE + " is " + file + ", which cannot be used (" + reason
                            + "); set it to the JSON file of a service account.")
                    .orElse("Google's library finds no credentials (" + reason + "); set " + FILE
                            + " to the JSON file of a service account, or give the machine one."));
        }
    }

    private static @Nullable Credentials read(Path file) throws IOException {
        try (InputStream in = Files.newInputStream(file)) {
            return GoogleCredentials.fromStream(in).createScoped(PublisherStubSettings.getDefaultServiceScopes());
        }
    }
}
