package io.flagtally.platform.config;

import io.smallrye.config.ConfigMapping;
import io.smallrye.config.WithDefault;
import io.smallrye.config.WithParentName;
import java.util.Set;

/** What this process does. */
@ConfigMapping(prefix = "flagtally.roles")
public interface RolesConfig {

    /**
     * {@code ingest} (takes events in), {@code consume} (writes them, and runs jobs), {@code serve} (answers reads).
     * What is left out opens no channel, answers 404 and is no part of readiness.
     */
    @WithParentName
    @WithDefault("ingest,consume,serve")
    Set<ProcessRole> all();
}
