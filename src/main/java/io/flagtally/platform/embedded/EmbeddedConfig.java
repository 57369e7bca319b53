package io.flagtally.platform.embedded;

import io.smallrye.config.ConfigMapping;
import io.smallrye.config.WithDefault;
import java.nio.file.Path;

/** The stores that are started beside the service where none is configured. */
@ConfigMapping(prefix = "flagtally.embedded")
public interface EmbeddedConfig {

    /** Where their data is kept, relative to the working directory. Survives a restart; one service at a time. */
    @WithDefault("flagtally-data")
    Path dataDir();
}
