package io.flagtally.platform.security;

import io.smallrye.config.SmallRyeConfig;
import io.smallrye.config.SmallRyeConfigBuilder;
import io.smallrye.config.source.yaml.YamlConfigSource;
import jakarta.inject.Inject;
import jakarta.inject.Singleton;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.eclipse.microprofile.config.ConfigProvider;
import org.eclipse.microprofile.config.spi.ConfigSource;
import org.yaml.snakeyaml.error.MarkedYAMLException;
import org.yaml.snakeyaml.error.YAMLException;

/**
 * Where API keys stand: the sources with which the service started, their files read anew, and the keys file. What
 * ranks above a file (-D, the environment) still does.
 */
@Singleton
class ApiKeySources {

    /** Above application.yaml (260), below the environment (300). */
    private static final int KEYS_FILE_ORDINAL = 280;

    private static final String NAME_START = "YamlConfigSource[source=file:";

    private final SmallRyeConfig started;
    private final Optional<Path> keysFile;

    @Inject
    ApiKeySources() {
        this(ConfigProvider.getConfig().unwrap(SmallRyeConfig.class));
    }

    ApiKeySources(SmallRyeConfig started) {
        this.started = started;
        this.keysFile = started.getOptionalValue("flagtally.security.keys-file", Path.class);
    }

    /**
     * Reads every source anew.
     *
     * @throws RuntimeException with one sentence, if a file cannot be read
     */
    SecurityConfig read() {
        List<ConfigSource> sources = new ArrayList<>();
        for (ConfigSource source : started.getConfigSources()) {
            Optional<Path> file = fileOf(source);
            sources.add(file.isPresent() ? yaml(file.get(), source.getOrdinal()) : source);
        }
        keysFile.ifPresent(file -> sources.add(yaml(file, KEYS_FILE_ORDINAL)));
        return new SmallRyeConfigBuilder()
                .addDefaultInterceptors()
                .addDiscoveredConverters()
                .withProfiles(started.getProfiles())
                .withSources(sources)
                .withMapping(SecurityConfig.class)
                .withValidateUnknown(false)
                .build()
                .getConfigMapping(SecurityConfig.class);
    }

    /** What stands in the files just now, to see whether it has changed. A file that cannot be read has no content. */
    Map<Path, String> contents() {
        Map<Path, String> contents = new LinkedHashMap<>();
        started.getConfigSources().forEach(source -> fileOf(source).ifPresent(file -> contents.put(file, text(file))));
        keysFile.ifPresent(file -> contents.put(file, text(file)));
        return contents;
    }

    private static Optional<Path> fileOf(ConfigSource source) {
        String name = source.getName();
        if (!name.startsWith(NAME_START)) {
            return Optional.empty();
        }
        String uri = name.substring(NAME_START.length() - "file:".length(), name.length() - 1);
        return Optional.of(Path.of(URI.create(uri)));
    }

    private static ConfigSource yaml(Path file, int ordinal) {
        try {
            return new YamlConfigSource(file.toUri().toString(), Files.readString(file), ordinal);
        } catch (IOException e) {
            throw new IllegalArgumentException(file + " cannot be read; make it readable for this process", e);
        } catch (YAMLException e) {
            // Without what the parser quotes from the file, which may be a secret.
            String where = e instanceof MarkedYAMLException marked && marked.getProblemMark() != null
                    ? " at line " + (marked.getProblemMark().getLine() + 1)
                    : "";
            throw new IllegalArgumentException(file + " is no valid YAML" + where + "; mend it");
        }
    }

    private static String text(Path file) {
        try {
            return Files.readString(file);
        } catch (IOException e) {
            return "";
        }
    }
}
