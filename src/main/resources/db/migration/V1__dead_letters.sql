-- Events that were put aside. The id is a digest of the content, so that the same letter is kept once.
create table dead_letter (
    id             uuid        primary key,
    environment_id text        not null,
    event_id       text        not null,
    code           text        not null,
    detail         text        not null,
    content_type   text        not null,
    payload        bytea       not null,
    put_at         timestamptz not null
);

create index dead_letter_by_time on dead_letter (environment_id, put_at desc);
