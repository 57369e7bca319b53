-- What is fixed at the first start of an installation.
create table installation (
    name  text primary key,
    value text not null
);

-- One row a user, month and SDK. A bit of days stands for a day of the month, the lowest for the first; days_before is
-- what days was before the last write, so that a write tells which days are new without a read before it.
create table mau (
    user_id               varchar(255) collate "C" not null,
    yearmonth             varchar(6)   collate "C" not null,
    source_id             varchar(30)  collate "C" not null,
    event_count           bigint                   not null,
    created_at            bigint                   not null,
    updated_at            bigint                   not null,
    environment_namespace varchar(255) collate "C" not null,
    days                  integer                  not null,
    days_before           integer                  not null,
    primary key (environment_namespace, yearmonth, source_id, user_id)
) partition by range (yearmonth);

-- One row a user and month, whatever the SDK: its key decides who is seen for the first time.
create table mau_user (
    environment_namespace varchar(255) collate "C" not null,
    yearmonth             varchar(6)   collate "C" not null,
    user_id               varchar(255) collate "C" not null,
    days                  integer                  not null,
    days_before           integer                  not null,
    primary key (environment_namespace, yearmonth, user_id)
) partition by range (yearmonth);

-- The events that were counted. An id begins with the second of its event, so that a day is a range of ids.
create table event_identity (
    id uuid primary key
) partition by range (id);

-- What months (202611) and days (20261121) add up to, by SDK and over all of them (*). The numbers of a period are the
-- sums over its shards. Kept in the transaction of the rows, and longer than the rows.
create table active_users_summary (
    environment_namespace varchar(255) collate "C" not null,
    period                varchar(8)   collate "C" not null,
    source_id             varchar(30)  collate "C" not null,
    shard                 smallint                 not null,
    user_count            bigint                   not null,
    event_count           bigint                   not null,
    updated_at            bigint                   not null,
    revised_at            bigint,
    primary key (environment_namespace, period, source_id, shard)
) with (fillfactor = 40);

-- Months whose rows, and days (UTC) whose event ids were dropped: nothing more is counted there.
create table closed_period (
    period    varchar(8) collate "C" primary key,
    closed_at bigint not null
);

-- Makes a partition and attaches it, which, unlike making it in its place, keeps no writer waiting. Returns at once if
-- it is there. Fails when another one holds a lock for long.
create function open_partition(parent text, partition text, lower text, upper text) returns void
    language plpgsql
    set lock_timeout = '2s'
as $$
begin
    if exists (select from pg_inherits
               where inhparent = parent::regclass and inhrelid = to_regclass(partition)) then
        return;
    end if;
    execute format('create table if not exists %I (like %I including all) with (fillfactor = 85)', partition, parent);
    execute format('alter table %I attach partition %I for values from (%L) to (%L)', parent, partition, lower, upper);
end $$;

-- Opens the rows of a month (202611), or the event ids of a day (20261121, UTC). False if the period is closed. One
-- caller at a time; the lock's number is this table set's own.
create function open_period(period_to_open text) returns boolean
    language plpgsql
    set lock_timeout = '2s'
as $$
declare
    first_day date;
begin
    perform pg_advisory_xact_lock(7301, 1);
    if exists (select from closed_period where period = period_to_open) then
        return false;
    end if;
    if length(period_to_open) = 6 then
        first_day := to_date(period_to_open, 'YYYYMM');
        perform open_partition('mau', 'mau_' || period_to_open, period_to_open,
                               to_char(first_day + interval '1 month', 'YYYYMM'));
        perform open_partition('mau_user', 'mau_user_' || period_to_open, period_to_open,
                               to_char(first_day + interval '1 month', 'YYYYMM'));
    else
        first_day := to_date(period_to_open, 'YYYYMMDD');
        perform open_partition('event_identity', 'event_identity_' || period_to_open,
                               lowest_event_id(first_day), lowest_event_id(first_day + 1));
    end if;
    return true;
end $$;

-- The lowest event id of a day (UTC): its second, shifted by 30 bits, in the upper half.
create function lowest_event_id(day date) returns text
    language sql immutable
as $$
    select lpad(to_hex(extract(epoch from day)::bigint << 30), 16, '0') || repeat('0', 16)
$$;
