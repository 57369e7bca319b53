package io.flagtally.event;

/** The id of a goal. */
public record GoalId(String value) {

    /** @throws IllegalArgumentException if {@link IdFault#of} finds a fault */
    public GoalId {
        IdFault.checked("goal", value);
    }

    @Override
    public String toString() {
        return value;
    }
}
