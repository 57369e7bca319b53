package io.flagtally.platform;

import io.flagtally.platform.embedded.EmbeddedStartException;
import io.flagtally.platform.embedded.EmbeddedStores.Running;
import io.flagtally.platform.redis.UnfitRedisException;
import io.quarkus.runtime.ApplicationLifecycleManager;
import io.quarkus.runtime.Quarkus;
import io.quarkus.runtime.configuration.ConfigurationException;
import io.quarkus.runtime.util.ExceptionUtil;
import io.smallrye.config.ConfigValidationException;
import java.time.Duration;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/** One run of the application in this JVM, and the order of its end. */
final class ApplicationRun {

    /** {@code true} while the application runs. A system property, since dev mode loads this class anew at each reload. */
    private static final String RUNNING = "flagtally.application.running";

    /** How long the stores wait for the application to drain. */
    private static final Duration DRAIN_PATIENCE = Duration.ofSeconds(60);

    /** How long a stop waits for a start that it has cut short. */
    private static final Duration CUT_PATIENCE = Duration.ofSeconds(30);

    private static final Duration POLL = Duration.ofMillis(20);

    private static volatile boolean preparing;
    private static volatile boolean started;

    private ApplicationRun() {}

    /**
     * Does what comes before the application. From here until {@link #hasStarted} a stop cuts the start short, which may
     * be waiting for a database.
     */
    static void prepare(Runnable preparation) {
        Thread starting = Thread.currentThread();
        Runtime.getRuntime().addShutdownHook(new Thread(() -> cutShort(starting), "start-stop"));
        preparing = true;
        try {
            preparation.run();
        } finally {
            preparing = false;
        }
    }

    /** Says that the application has started. */
    static void hasStarted() {
        started = true;
    }

    /** Runs until the application ends. */
    static void run(String... args) {
        System.setProperty(RUNNING, "true");
        Quarkus.run(StartedApplication.class, ApplicationRun::ended, args);
    }

    /** Lets {@code stores} end with the JVM, after the application. */
    static void closeAfterwards(Running stores) {
        Thread hook = new Thread(
                () -> {
                    await(() -> System.getProperty(RUNNING) == null, DRAIN_PATIENCE);
                    stores.close();
                },
                "stores-stop");
        try {
            Runtime.getRuntime().addShutdownHook(hook);
        } catch (IllegalStateException stopping) {
            stores.close();
            throw EmbeddedStartException.cutShort(stopping);
        }
    }

    /** What follows is Quarkus' own: the process exits, but in dev mode it waits for the next reload. */
    private static void ended(Integer exitCode, @Nullable Throwable failure) {
        System.clearProperty(RUNNING);
        if (failure != null) {
            tell(failure);
        }
        ApplicationLifecycleManager.getDefaultExitCodeHandler().accept(exitCode, failure);
    }

    /** Quarkus tells a failed start to the handler of its end, and prints nothing itself then. */
    private static void tell(Throwable failure) {
        Throwable root = ExceptionUtil.getRootCause(failure);
        if (root instanceof ConfigurationException
                || root instanceof ConfigValidationException
                || root instanceof UnfitRedisException) {
            System.err.println(root.getMessage());
        } else {
            failure.printStackTrace();
        }
    }

    private static void cutShort(Thread starting) {
        if (!started) {
            starting.interrupt();
            await(() -> !preparing, CUT_PATIENCE);
        }
    }

    private static void await(BooleanSupplier condition, Duration patience) {
        long deadline = System.nanoTime() + patience.toNanos();
        while (!condition.getAsBoolean() && System.nanoTime() - deadline < 0) {
            LockSupport.parkNanos(POLL.toNanos());
        }
    }
}
