package io.flagtally.event;

/** The id of the user for whom a flag was evaluated or who reached a goal. */
public record UserId(String value) {

    /** @throws IllegalArgumentException if {@link IdFault#of} finds a fault */
    public UserId {
        IdFault.checked("user", value);
    }

    @Override
    public String toString() {
        return value;
    }
}
