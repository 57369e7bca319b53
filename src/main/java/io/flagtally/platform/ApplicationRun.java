package io.flagtally.platform;

import io.flagtally.platform.embedded.EmbeddedStores.Running;
import io.quarkus.runtime.ApplicationLifecycleManager;
import io.quarkus.runtime.Quarkus;
import java.time.Duration;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/** One run of the application in this JVM, and the order of its end. */
final class ApplicationRun {

    /** {@code true} while the application runs. A system property, since dev mode loads this class anew at each reload. */
    private static final String RUNNING = "flagtally.application.running";

    /** How long the stores wait for the application to drain. */
    private static final Duration DRAIN_PATIENCE = Duration.ofSeconds(60);

    private static final Duration POLL = Duration.ofMillis(20);

    private ApplicationRun() {}

    /** Runs until the application ends. */
    static void run(String... args) {
        System.setProperty(RUNNING, "true");
        Quarkus.run(StartedApplication.class, ApplicationRun::ended, args);
    }

    /** Lets {@code stores} end with the JVM, after the application. */
    static void closeAfterwards(Running stores) {
        Thread hook = new Thread(
                () -> {
                    awaitEndOfApplication();
                    stores.close();
                },
                "stores-stop");
        Runtime.getRuntime().addShutdownHook(hook);
    }

    /** What follows is Quarkus' own: the process exits, but in dev mode it waits for the next reload. */
    private static void ended(Integer exitCode, @Nullable Throwable failure) {
        System.clearProperty(RUNNING);
        ApplicationLifecycleManager.getDefaultExitCodeHandler().accept(exitCode, failure);
    }

    private static void awaitEndOfApplication() {
        long deadline = System.nanoTime() + DRAIN_PATIENCE.toNanos();
        while (System.getProperty(RUNNING) != null && System.nanoTime() - deadline < 0) {
            LockSupport.parkNanos(POLL.toNanos());
        }
    }
}
