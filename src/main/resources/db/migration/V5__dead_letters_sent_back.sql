-- The headers with which a dead letter is sent back, and how often it was put: a letter that comes back while it is being
-- sent back must not be removed.
alter table dead_letter
    add column source       text        not null default 'UNKNOWN',
    add column accepted_at  timestamptz,
    add column trace_parent text,
    add column puts         integer     not null default 1;

update dead_letter set accepted_at = put_at;

alter table dead_letter alter column accepted_at set not null;

create index dead_letter_by_age on dead_letter (put_at);
