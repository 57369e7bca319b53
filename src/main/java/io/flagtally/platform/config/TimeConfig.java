package io.flagtally.platform.config;

import io.smallrye.config.ConfigMapping;
import io.smallrye.config.WithDefault;
import java.time.ZoneId;

/** Time as the installation cuts it. */
@ConfigMapping(prefix = "flagtally.time")
public interface TimeConfig {

    /** The IANA zone of day and month edges. Fixed at the first start of an installation. */
    @WithDefault("UTC")
    ZoneId zone();
}
