package io.flagtally.event;

/** The id of a feature flag ({@code featureId} on the wire). */
public record FlagId(String value) {

    /** @throws IllegalArgumentException if {@link IdFault#of} finds a fault */
    public FlagId {
        IdFault.checked("flag", value);
    }

    @Override
    public String toString() {
        return value;
    }
}
