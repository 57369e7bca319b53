package io.flagtally.platform.job;

import io.quarkus.arc.All;
import jakarta.inject.Inject;
import jakarta.inject.Singleton;
import java.util.Collection;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** All jobs of the service, by name. */
@Singleton
class Jobs {

    private final SortedMap<String, Job> byName = new TreeMap<>();

    @Inject
    Jobs(@All List<Job> jobs, @All List<JobGroup> groups) {
        jobs.forEach(job -> byName.put(job.name(), job));
        groups.forEach(group -> group.jobs().forEach(job -> byName.put(job.name(), job)));
    }

    Collection<Job> all() {
        return byName.values();
    }

    Collection<String> names() {
        return byName.keySet();
    }

    @Nullable
    Job named(String name) {
        return byName.get(name);
    }
}
