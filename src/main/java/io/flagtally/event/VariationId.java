package io.flagtally.event;

/** The id of one variation of a flag. */
public record VariationId(String value) {
    /** Counts the evaluations in which the SDK could not evaluate and served the value given in the code. */
    public static final VariationId DEFAULT = new VariationId("default");

    /** @throws IllegalArgumentException if {@link IdFault#of} finds a fault */
    public VariationId {
        IdFault.checked("variation", value);
    }

    @Override
    public String toString() {
        return value;
    }
}
