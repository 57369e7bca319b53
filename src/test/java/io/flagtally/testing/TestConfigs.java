package io.flagtally.testing;

import io.smallrye.config.SmallRyeConfigBuilder;
import java.util.Map;

/** Configuration mappings with their defaults, for tests that need no running service. */
public final class TestConfigs {

    private TestConfigs() {}

    /** Returns {@code mapping} with its defaults, but for {@code keys}. */
    public static <T> T of(Class<T> mapping, Map<String, String> keys) {
        return new SmallRyeConfigBuilder()
                .addDefaultInterceptors()
                .addDiscoveredConverters()
                .withDefaultValues(keys)
                .withMapping(mapping)
                .build()
                .getConfigMapping(mapping);
    }
}
