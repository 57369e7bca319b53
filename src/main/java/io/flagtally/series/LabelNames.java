package io.flagtally.series;

import io.flagtally.event.EnvironmentId;
import io.flagtally.event.FlagId;
import io.flagtally.event.VariationId;
import io.flagtally.series.Label.Kind;
import io.smallrye.mutiny.Uni;
import jakarta.inject.Inject;
import jakarta.inject.Singleton;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
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

    private final LabelStore store;
    private final SeriesConfig config;

    @Inject
    LabelNames(LabelStore store, SeriesConfig config) {
        this.store = store;
        this.config = config;
    }

    Uni<Names> ofEnvironments(List<EnvironmentId> environments) {
        return environments.isEmpty() ? none() : patiently(store.ofEnvironments(environments));
    }

    Uni<Names> ofFlags(EnvironmentId environment, List<FlagId> flags) {
        return flags.isEmpty() ? none() : patiently(store.ofFlags(environment, flags));
    }

    private static Uni<Names> none() {
        return Uni.createFrom().item(new Names(List.of()));
    }

    private Uni<Names> patiently(Uni<List<Label>> labels) {
        return labels.map(Names::new)
                .ifNoItem()
                .after(config.readTimeout())
                .fail()
                .onFailure()
                .invoke(failure -> LOG.debugf("Ids are shown without their names: %s", failure))
                .onFailure()
                .recoverWithUni(LabelNames::none);
    }
}
