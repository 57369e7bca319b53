-- The runs of jobs. A slot is a part of a job's schedule, and is run well once.
create table job_run (
    job         text        not null,
    slot        text        not null,
    started_at  timestamptz not null,
    finished_at timestamptz,
    outcome     text        not null,
    detail      text        not null,
    primary key (job, slot)
);

create index job_run_by_time on job_run (job, started_at desc);
