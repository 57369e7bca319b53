package io.flagtally.store.postgres;

import java.time.Duration;

/**
 * How active users are written.
 *
 * @param recognising whether an event that comes again is recognised
 * @param shards over how many rows each summary is spread, so that flushes do not wait for one
 * @param timeout when PostgreSQL is taken to be away
 */
public record ActiveUsersRules(boolean recognising, int shards, Duration timeout) {}
