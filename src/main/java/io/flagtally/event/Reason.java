package io.flagtally.event;

/** Why an evaluation gave the variation it gave. */
public enum Reason {
    TARGET(0),
    RULE(1),
    DEFAULT(3),
    CLIENT(4),
    OFF_VARIATION(5),
    PREREQUISITE(6),
    ERROR_NO_EVALUATIONS(20),
    ERROR_FLAG_NOT_FOUND(21),
    ERROR_WRONG_TYPE(22),
    ERROR_USER_ID_NOT_SPECIFIED(23),
    ERROR_FEATURE_FLAG_ID_NOT_SPECIFIED(24),
    ERROR_EXCEPTION(25),
    ERROR_CACHE_NOT_FOUND(26);

    private final int number;

    Reason(int number) {
        this.number = number;
    }

    /** The number of this reason on the wire. */
    public int number() {
        return number;
    }

    /** True if the SDK served the value given in the code, so that the event counts under {@code default}. */
    public boolean servesDefault() {
        return this == CLIENT || number >= ERROR_NO_EVALUATIONS.number;
    }
}
