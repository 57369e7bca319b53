/**
 * Active users and dead letters in PostgreSQL.
 *
 * <p><b>Owns</b> the tables and the adapters of the ports that PostgreSQL serves.
 *
 * <p><b>Does not own</b> what is put aside, and why ({@code pipeline}).
 *
 * <p><b>Invariants</b>: statements are repeatable: a retry after a lost reply changes nothing. Transactions lock rows in one
 * order: event ids, users, users of an SDK, summaries, each sorted by its key.
 */
@NullMarked
package io.flagtally.store.postgres;

import org.jspecify.annotations.NullMarked;
