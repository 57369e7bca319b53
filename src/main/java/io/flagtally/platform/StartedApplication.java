package io.flagtally.platform;

import io.quarkus.runtime.Quarkus;
import io.quarkus.runtime.QuarkusApplication;
import jakarta.inject.Inject;

/** What the process does once everything has started: it says how to use it, and waits for its end. */
public final class StartedApplication implements QuarkusApplication {

    private final StartNote note;

    @Inject
    StartedApplication(StartNote note) {
        this.note = note;
    }

    @Override
    public int run(String... args) {
        ApplicationRun.hasStarted();
        note.log();
        Quarkus.waitForExit();
        return 0;
    }
}
