-- Days (UTC) that an import wrote to: their event ids are kept until their months are closed.
create table imported_day (
    day varchar(8) collate "C" primary key
);

-- The environments that had events on a day (UTC) whose event ids were dropped while its month was open: what comes for
-- them then may have been counted before. For the others nothing was, and ids of the day are kept anew.
create table dropped_event_ids (
    day                   varchar(8)   collate "C" not null,
    environment_namespace varchar(255) collate "C" not null,
    primary key (day, environment_namespace)
);

-- For what asks for a period over all environments: the partition job, and the monthly report.
create index active_users_summary_by_period on active_users_summary (period);

-- As before, and takes back a partition whose detaching was cut short, which no write could use otherwise.
create or replace function open_partition(parent text, partition text, lower text, upper text) returns void
    language plpgsql
    set lock_timeout = '2s'
as $$
begin
    if exists (select from pg_inherits where inhparent = parent::regclass
               and inhrelid = to_regclass(partition) and not inhdetachpending) then
        return;
    end if;
    if exists (select from pg_inherits where inhparent = parent::regclass and inhrelid = to_regclass(partition)) then
        execute format('alter table %I detach partition %I finalize', parent, partition);
    end if;
    execute format('create table if not exists %I (like %I including all) with (fillfactor = 85)', partition, parent);
    execute format('alter table %I attach partition %I for values from (%L) to (%L)', parent, partition, lower, upper);
end $$;

-- Drops the event ids of a day (UTC), which were detached: no transaction that wrote some is under way any more. Before,
-- it notes whose events they may have been, or, once the months of the day are closed, that the day is too. False if a
-- writer attached them again, or an import wants them kept. One caller at a time, and none while a period is opened.
--
-- dates: the local dates (20261121) that the day touches.
create function drop_event_ids(day_to_drop text, dates text[], months_are_closed boolean, dropped_at bigint)
    returns boolean
    language plpgsql
    set lock_timeout = '2s'
as $$
declare
    ids text := 'event_identity_' || day_to_drop;
begin
    perform pg_advisory_xact_lock(7301, 1);
    if to_regclass(ids) is null or exists (select from pg_inherits where inhrelid = to_regclass(ids)) then
        return false;
    end if;
    if months_are_closed then
        insert into closed_period (period, closed_at) values (day_to_drop, dropped_at) on conflict do nothing;
        delete from imported_day where day = day_to_drop;
        delete from dropped_event_ids where day = day_to_drop;
    elsif exists (select from imported_day where day = day_to_drop) then
        perform open_period(day_to_drop);
        return false;
    else
        insert into dropped_event_ids (day, environment_namespace)
        select distinct day_to_drop, environment_namespace from active_users_summary
        where period = any(dates) and source_id = '*' and event_count > 0
        on conflict do nothing;
    end if;
    execute format('drop table %I', ids);
    return true;
end $$;
