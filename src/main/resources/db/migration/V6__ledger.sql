-- What processes say of events, by the hour (UTC) in which they saw them. Sums; a process puts its own in place of those
-- it put before.
create table event_ledger (
    hour     timestamptz not null,
    instance text        not null,
    entry    text        not null,
    events   bigint      not null,
    primary key (hour, instance, entry)
);

-- What the ledger is held against the sums of the months with.
create index event_ledger_counted on event_ledger (hour) include (events) where entry = 'counted/mau';

-- The processes, when each was last heard of, and whether that was its last word.
create table ledger_process (
    instance   text        primary key,
    started_at timestamptz not null,
    seen_at    timestamptz not null,
    ended      boolean     not null,
    vitals     text        not null
);

create index ledger_process_by_time on ledger_process (seen_at desc);

-- Where the ledger begins: what the sums of the months held then.
create table ledger_start (
    only_row      boolean     primary key default true check (only_row),
    started_at    timestamptz not null,
    stored_events bigint      not null
);

insert into ledger_start (started_at, stored_events)
select now(), coalesce(sum(event_count), 0) from active_users_summary where source_id = '*' and length(period) = 6;

-- What stores held, every hour; an empty kind is all of it.
create table store_size (
    sampled_at timestamptz not null,
    store      text        not null,
    kind       text        not null,
    bytes      bigint      not null,
    primary key (sampled_at, store, kind)
);
