package io.flagtally.series.report;

import io.smallrye.config.ConfigMapping;
import io.smallrye.config.WithDefault;
import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;

/** Where the report of a month goes. */
@ConfigMapping(prefix = "flagtally.report")
public interface ReportConfig {

    /** The webhooks, by a name of your choice; of each, {@code report-<name>} is a job. */
    Map<String, Webhook> webhooks();

    /** How long a webhook may take to answer. */
    @WithDefault("10s")
    Duration timeout();

    /** How often a report is sent in one run of its job, if it is not taken. */
    @WithDefault("5")
    int attemptsMax();

    /** How long is waited before the second attempt; each further wait is twice as long. */
    @WithDefault("1s")
    Duration backoff();

    /** When a job whose attempts were all in vain is run again. */
    @WithDefault("1h")
    Duration retryAfter();

    /** One webhook; {@code url} or {@code url-file} is set. */
    interface Webhook {

        /** Where the report is posted, such as {@code https://example.com/hooks/flagtally}. */
        Optional<URI> url();

        /** A file that holds the URL, for one that is a secret itself. Read at each run. */
        Optional<Path> urlFile();

        /** What is posted: {@code JSON}, or {@code SLACK} for an incoming webhook of Slack. */
        @WithDefault("JSON")
        ReportFormat format();

        /** Signs each request. Better given through the environment or {@code secret-file} than written into a file. */
        Optional<String> secret();

        /** A file that holds the secret. Read at each run. */
        Optional<Path> secretFile();
    }
}
