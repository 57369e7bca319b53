package io.flagtally.store.postgres;

import io.flagtally.event.EnvironmentId;
import io.flagtally.event.FlagId;
import io.flagtally.platform.error.UnavailableException;
import io.flagtally.series.Label;
import io.flagtally.series.Label.Kind;
import io.flagtally.series.LabelQuery;
import io.flagtally.series.LabelStore;
import io.quarkus.hibernate.reactive.panache.Panache;
import io.quarkus.hibernate.reactive.panache.PanacheRepositoryBase;
import io.quarkus.reactive.datasource.ReactiveDataSource;
import io.quarkus.vertx.core.runtime.context.VertxContextSafetyToggle;
import io.smallrye.common.vertx.VertxContext;
import io.smallrye.mutiny.Uni;
import io.vertx.core.Context;
import io.vertx.core.Vertx;
import io.vertx.mutiny.sqlclient.Pool;
import io.vertx.mutiny.sqlclient.Tuple;
import jakarta.inject.Inject;
import jakarta.inject.Singleton;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.Supplier;
import org.hibernate.reactive.mutiny.Mutiny;

/**
 * Keeps names in the table {@code label}, through Hibernate Reactive on the pool that the service has anyway; the names of all
 * flags, which are too many for entities, are read without it.
 */
@Singleton
public class PostgresLabelStore implements LabelStore, PanacheRepositoryBase<LabelRow, LabelRow.Place> {

    /** One writer an environment at a time, until its transaction ends: labels are read before they are written. */
    private static final String LOCK = "select 1 from pg_advisory_xact_lock(7303, hashtext(?1))";

    private static final Duration TIMEOUT = Duration.ofSeconds(10);

    private static final String OF_ENVIRONMENTS = "place.environment in ?1 and place.kind = ?2";
    private static final String OF_FLAGS = "place.environment = ?1 and place.kind in ?2 and place.flag in ?3";
    private static final String IN_ORDER = " order by place.kind, place.flag, place.id";
    private static final String FIRST_PAGE = "place.environment = ?1" + IN_ORDER;
    private static final String NEXT_PAGE = "place.environment = ?1 and (place.kind > ?2 or (place.kind = ?2"
            + " and (place.flag > ?3 or (place.flag = ?3 and place.id > ?4))))" + IN_ORDER;

    private static final String OF_ALL_FLAGS =
            "select id, name from label where environment_id = $1 and kind = $2 order by flag_id limit $3";

    private final Vertx vertx;
    private final Pool reads;

    /** @param reads of its own, as the names of all flags are many */
    @Inject
    PostgresLabelStore(Vertx vertx, @ReactiveDataSource("reads") Pool reads) {
        this.vertx = vertx;
        this.reads = reads;
    }

    @Override
    public Uni<Void> write(List<Label> labels) {
        return labels.isEmpty()
                ? Uni.createFrom().voidItem()
                : inSession(() -> Panache.withTransaction(() -> merge(labels)))
                        .onFailure()
                        .transform(PostgresLabelStore::unavailable);
    }

    private Uni<Void> merge(List<Label> labels) {
        Object[] places = labels.stream().map(LabelRow.Place::of).toArray();
        return getSession()
                .chain(session -> session.createNativeQuery(LOCK, Integer.class)
                        .setParameter(1, labels.get(0).environment().value())
                        .getSingleResult()
                        .chain(locked -> session.find(LabelRow.class, places))
                        .chain(found -> merge(session, labels, found)));
    }

    private static Uni<Void> merge(Mutiny.Session session, List<Label> labels, List<LabelRow> found) {
        Map<LabelRow.Place, LabelRow> there = new HashMap<>();
        found.stream().filter(Objects::nonNull).forEach(row -> there.put(row.place(), row));
        List<LabelRow> made = new ArrayList<>();
        List<LabelRow> gone = new ArrayList<>();
        for (Label label : labels) {
            LabelRow row = there.get(LabelRow.Place.of(label));
            if (row == null && label.name() != null) {
                made.add(LabelRow.of(label));
            } else if (row != null && label.name() == null) {
                gone.add(row);
            } else if (row != null) {
                row.name = label.name();
            }
        }
        return session.persistAll(made.toArray()).chain(() -> session.removeAll(gone.toArray()));
    }

    @Override
    public Uni<List<Label>> read(LabelQuery query) {
        Label after = query.after();
        String environment = query.environment().value();
        return labels(() -> (after == null
                        ? find(FIRST_PAGE, environment)
                        : find(NEXT_PAGE, environment, after.kind().name(), after.flag(), after.id()))
                .page(0, query.limit())
                .list());
    }

    @Override
    public Uni<List<Label>> ofEnvironments(List<EnvironmentId> environments) {
        List<String> ids = environments.stream().map(EnvironmentId::value).toList();
        return labels(() -> list(OF_ENVIRONMENTS, ids, Kind.ENVIRONMENT.name()));
    }

    @Override
    public Uni<List<Label>> ofFlags(EnvironmentId environment, List<FlagId> flags) {
        List<String> ids = flags.stream().map(FlagId::value).toList();
        List<String> kinds = List.of(Kind.FLAG.name(), Kind.VARIATION.name());
        return labels(() -> list(OF_FLAGS, environment.value(), kinds, ids));
    }

    @Override
    public Uni<List<Label>> ofAllFlags(EnvironmentId environment, int limit) {
        return reads.preparedQuery(OF_ALL_FLAGS)
                .execute(Tuple.of(environment.value(), Kind.FLAG.name(), limit))
                .map(rows -> {
                    List<Label> labels = new ArrayList<>(rows.size());
                    rows.forEach(row -> labels.add(flag(environment, row.getString(0), row.getString(1))));
                    return labels;
                })
                .onFailure()
                .transform(PostgresLabelStore::unavailable);
    }

    private static Label flag(EnvironmentId environment, String id, String name) {
        return new Label(environment, Kind.FLAG, id, id, name);
    }

    private Uni<List<Label>> labels(Supplier<Uni<List<LabelRow>>> read) {
        return inSession(() -> Panache.withSession(read))
                .map(rows -> rows.stream().map(LabelRow::label).toList())
                .onFailure()
                .transform(PostgresLabelStore::unavailable);
    }

    /** A session belongs to a Vert.x context; with one of its own, a call may come from any thread and beside others. */
    private <T> Uni<T> inSession(Supplier<Uni<T>> work) {
        return Uni.createFrom()
                .<T>emitter(emitter -> {
                    Context context =
                            Objects.requireNonNull(VertxContext.createNewDuplicatedContext(vertx.getOrCreateContext()));
                    VertxContextSafetyToggle.setContextSafe(context, true);
                    context.runOnContext(start -> {
                        var unused =
                                Uni.createFrom().deferred(work::get).subscribe().with(emitter::complete, emitter::fail);
                    });
                })
                .ifNoItem()
                .after(TIMEOUT)
                .fail();
    }

    private static Throwable unavailable(Throwable failure) {
        return failure instanceof UnavailableException
                ? failure
                : new UnavailableException(
                        "The names of things cannot be read or written now: " + failure.getMessage(), failure);
    }
}
