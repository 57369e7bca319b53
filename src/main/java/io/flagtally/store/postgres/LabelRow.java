package io.flagtally.store.postgres;

import io.flagtally.event.EnvironmentId;
import io.flagtally.series.Label;
import jakarta.persistence.Column;
import jakarta.persistence.Embeddable;
import jakarta.persistence.EmbeddedId;
import jakarta.persistence.Entity;
import jakarta.persistence.Table;
import java.io.Serializable;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** A row of the table {@code label}. */
@Entity
@Table(name = "label")
public class LabelRow {

    /** What the row names. */
    @Embeddable
    public record Place(
            @Column(name = "environment_id", columnDefinition = "text")
            String environment,

            @Column(name = "kind", columnDefinition = "text")
            String kind,

            @Column(name = "flag_id", columnDefinition = "text")
            String flag,

            @Column(name = "id", columnDefinition = "text") String id)
            implements Serializable {

        static Place of(Label label) {
            return new Place(label.environment().value(), label.kind().name(), label.flag(), label.id());
        }
    }

    @EmbeddedId
    @Nullable
    Place place;

    @Column(name = "name", columnDefinition = "text", nullable = false)
    @Nullable
    String name;

    static LabelRow of(Label label) {
        LabelRow row = new LabelRow();
        row.place = Place.of(label);
        row.name = label.name();
        return row;
    }

    Place place() {
        return Objects.requireNonNull(place);
    }

    Label label() {
        Place named = place();
        return new Label(
                new EnvironmentId(named.environment), Label.Kind.valueOf(named.kind), named.flag, named.id, name);
    }
}
