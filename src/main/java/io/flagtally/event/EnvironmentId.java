package io.flagtally.event;

/** The environment (production, staging, …) an event belongs to; it comes from the API key. */
public record EnvironmentId(String value) {
    /** The environment of an installation that has only one; its Redis keys carry no prefix. */
    public static final EnvironmentId DEFAULT = new EnvironmentId("default");

    /** @throws IllegalArgumentException if {@link IdFault#of} finds a fault */
    public EnvironmentId {
        IdFault.checked("environment", value);
    }

    @Override
    public String toString() {
        return value;
    }
}
