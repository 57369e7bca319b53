package io.flagtally.platform.job;

import io.quarkus.runtime.ShutdownEvent;
import io.quarkus.runtime.StartupEvent;
import io.quarkus.scheduler.Scheduler;
import jakarta.annotation.Priority;
import jakarta.enterprise.event.Observes;
import jakarta.inject.Singleton;
import jakarta.interceptor.Interceptor;

/**
 * Lets scheduled methods run from the end of the start ({@code quarkus.scheduler.start-mode} halts them before) to the
 * beginning of the stop, so that none works on an application that is half there or half gone.
 */
@Singleton
class ScheduledTimes {

    void start(@Observes @Priority(Interceptor.Priority.PLATFORM_AFTER) StartupEvent started, Scheduler scheduler) {
        scheduler.resume();
    }

    void stop(@Observes @Priority(Interceptor.Priority.PLATFORM_BEFORE) ShutdownEvent stopping, Scheduler scheduler) {
        scheduler.pause();
    }
}
