package io.flagtally.codec;

/** The call of an SDK that a metrics event measures. */
public enum ApiId {
    UNKNOWN_API(0),
    GET_EVALUATION(1),
    GET_EVALUATIONS(2),
    REGISTER_EVENTS(3),
    GET_FEATURE_FLAGS(4),
    GET_SEGMENT_USERS(5),
    SDK_GET_VARIATION(100);

    private final int number;

    ApiId(int number) {
        this.number = number;
    }

    /** The number of this call on the wire. */
    public int number() {
        return number;
    }
}
