package io.flagtally.event;

/** The SDK an event came from. */
public enum SourceId {
    UNKNOWN(0),
    ANDROID(1),
    IOS(2),
    WEB(3),
    GO_SERVER(5),
    NODE_SERVER(6),
    JAVASCRIPT(7),
    FLUTTER(8),
    REACT(9),
    REACT_NATIVE(10),
    OPEN_FEATURE_KOTLIN(100),
    OPEN_FEATURE_SWIFT(101),
    OPEN_FEATURE_JAVASCRIPT(102),
    OPEN_FEATURE_GO(103),
    OPEN_FEATURE_NODE(104),
    OPEN_FEATURE_REACT(105),
    OPEN_FEATURE_REACT_NATIVE(106);

    private final int number;

    SourceId(int number) {
        this.number = number;
    }

    /** The number of this SDK on the wire. */
    public int number() {
        return number;
    }
}
