package io.flagtally.platform.job;

import io.quarkus.runtime.StartupEvent;
import io.quarkus.scheduler.Scheduler;
import jakarta.annotation.Priority;
import jakarta.enterprise.event.Observes;
import jakarta.inject.Singleton;
import jakarta.interceptor.Interceptor;

/**
 * Lets scheduled methods run once the start is through ({@code quarkus.scheduler.start-mode} halts them before), so that
 * none works on an application that is half there, or on one whose start is being refused.
 */
@Singleton
class ScheduleStart {

    void start(@Observes @Priority(Interceptor.Priority.PLATFORM_AFTER) StartupEvent started, Scheduler scheduler) {
        scheduler.resume();
    }
}
