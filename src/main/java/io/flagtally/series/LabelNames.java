package io.flagtally.series;

import io.flagtally.event.EnvironmentId;
import io.flagtally.event.FlagId;
import io.flagtally.event.VariationId;
import io.flagtally.series.Label.Kind;
import io.micrometer.core.instrument.MeterRegistry;
import io.smallrye.mutiny.Uni;
import jakarta.inject.Inject;
import jakarta.inject.Singleton;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import org.jboss.logging.Logger;
import org.jspecify.annotations.Nullable;

/** The names that lists show beside ids. Numbers do not wait for names: while their store is away, there are none. */
@Singleton
class LabelNames {

    private static final Logger LOG = Logger.getLogger(LabelNames.class);

    /** Names by what has them. */
    static final class Names {

        private record Named(EnvironmentId environment, Kind kind, String flag, String id) {}

        private final Map<Named, String> names = new HashMap<>();

        Names(List<Label> labels) {
            for (Label label : labels) {
                if (label.name() != null) {
                    names.put(new Named(label.environment(), label.kind(), label.flag(), label.id()), label.name());
                }
            }
        }

        /** Returns the flags whose name contains {@code part}, which is in lower case. */
        Set<FlagId> flagsWith(String part) {
            Set<FlagId> flags = new HashSet<>();
            names.forEach((named, name) -> {
                if (named.kind == Kind.FLAG && name.toLowerCase(Locale.ROOT).contains(part)) {
                    flags.add(new FlagId(named.id));
                }
            });
            return flags;
        }

        @Nullable
        String environment(EnvironmentId id) {
            return names.get(new Named(id, Kind.ENVIRONMENT, "", id.value()));
        }

        @Nullable
        String flag(EnvironmentId environment, FlagId flag) {
            return names.get(new Named(environment, Kind.FLAG, flag.value(), flag.value()));
        }

        @Nullable
        String variation(EnvironmentId environment, FlagId flag, VariationId variation) {
            return names.get(new Named(environment, Kind.VARIATION, flag.value(), variation.value()));
        }
    }

    /** Named flags that are looked through, the first by id; an environment has no more flags unless it was told to. */
    private static final int FLAGS_MAX = 10_000;

    private final LabelStore store;
    private final SeriesConfig config;
    private final SharedReads<EnvironmentId, Names> ofAllFlags;

    @Inject
    LabelNames(LabelStore store, SeriesConfig config, MeterRegistry metrics) {
        this.store = store;
        this.config = config;
        ofAllFlags = new SharedReads<>("flag_names", config.distinctReadsMax(), config.readTimeout(), metrics);
    }

    Uni<Names> ofEnvironments(List<EnvironmentId> environments) {
        return environments.isEmpty() ? none() : patiently(store.ofEnvironments(environments));
    }

    Uni<Names> ofFlags(EnvironmentId environment, List<FlagId> flags) {
        return flags.isEmpty() ? none() : patiently(store.ofFlags(environment, flags));
    }

    /**
     * Returns the flags whose name contains {@code part}, letter case aside, in every alphabet; none for no part, and none
     * while names cannot be read.
     */
    Uni<Set<FlagId>> flagsNamed(EnvironmentId environment, String part) {
        if (part.isEmpty()) {
            return Uni.createFrom().item(Set.of());
        }
        String wanted = part.toLowerCase(Locale.ROOT);
        return orNone(ofAllFlags.read(
                        environment,
                        () -> store.ofAllFlags(environment, FLAGS_MAX).map(Names::new)))
                .map(names -> names.flagsWith(wanted));
    }

    private static Uni<Names> none() {
        return Uni.createFrom().item(new Names(List.of()));
    }

    private Uni<Names> patiently(Uni<List<Label>> labels) {
        return orNone(
                labels.map(Names::new).ifNoItem().after(config.readTimeout()).fail());
    }

    private static Uni<Names> orNone(Uni<Names> names) {
        return names.onFailure()
                .invoke(failure -> LOG.debugf("Ids are shown without their names: %s", failure))
                .onFailure()
                .recoverWithUni(LabelNames::none);
    }
}
