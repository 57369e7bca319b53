-- The names by which people know things. flag_id is the flag of a variation, and the flag itself; empty for the rest.
create table label (
    environment_id text collate "C" not null,
    kind           text collate "C" not null,
    flag_id        text collate "C" not null,
    id             text collate "C" not null,
    name           text             not null,
    primary key (environment_id, kind, flag_id, id)
);
