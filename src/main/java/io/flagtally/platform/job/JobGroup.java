package io.flagtally.platform.job;

import java.util.List;

/** A port: jobs that the configuration makes, such as one a destination. */
public interface JobGroup {

    /** Returns the jobs, the same at each call. */
    List<Job> jobs();
}
