package io.flagtally.platform;

import io.flagtally.platform.security.SecurityConfig;
import io.smallrye.config.SmallRyeConfig;
import jakarta.inject.Inject;
import jakarta.inject.Singleton;
import java.net.URI;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jboss.logging.Logger;
import org.jspecify.annotations.Nullable;

/** The last lines of a start: what a person opens, with which key, and where the data is. */
@Singleton
final class StartNote {

    private static final Logger LOG = Logger.getLogger("io.flagtally");

    private final SmallRyeConfig config;
    private final SecurityConfig security;

    @Inject
    StartNote(SmallRyeConfig config, SecurityConfig security) {
        this.config = config;
        this.security = security;
    }

    void log() {
        LOG.info("Flagtally is ready."
                + String.join("", lines().stream().map(line -> "\n  " + line).toList()));
    }

    private List<String> lines() {
        List<String> lines = new ArrayList<>();
        lines.add("Open  http://" + host() + ":" + value(StartConfig.HTTP_PORT) + "/");
        embeddedKey().ifPresent(key -> lines.add("Key   " + key + " (may do everything; for this machine only)"));
        embeddedKey()
                .flatMap(unused -> security.demoKey())
                .ifPresent(
                        key -> lines.add("Demo  " + key + " (the key of the environment demo, with made-up traffic)"));
        lines.add("Data  " + data());
        return lines;
    }

    private String host() {
        String host = value(StartConfig.HTTP_HOST);
        if (host == null || List.of("0.0.0.0", "127.0.0.1", "::").contains(host)) {
            return "localhost";
        }
        return host.contains(":") ? "[" + host + "]" : host;
    }

    private Optional<String> embeddedKey() {
        boolean othersInForce =
                !security.apiKeys().isEmpty() || security.keysFile().isPresent();
        return othersInForce ? Optional.empty() : security.embeddedKey();
    }

    private String data() {
        String directory = System.getProperty(StoresOfThisProcess.DATA_DIRECTORY);
        String stores =
                "Redis at " + address(StartConfig.REDIS_URL) + ", PostgreSQL at " + address(StartConfig.POSTGRES_URL);
        return directory == null ? stores : directory + " (" + stores + ")";
    }

    /** Host and port, never the user and the password that may stand in a URL. */
    private String address(String key) {
        String url = value(key);
        try {
            String authority = url == null ? null : URI.create(url).getAuthority();
            return authority == null ? "?" : authority.substring(authority.lastIndexOf('@') + 1);
        } catch (IllegalArgumentException severalHosts) {
            return "the address in " + key;
        }
    }

    private @Nullable String value(String key) {
        return config.getConfigValue(key).getValue();
    }
}
