package io.flagtally.ingest;

import io.flagtally.codec.MalformedEventException;
import io.flagtally.platform.error.ErrorCode;
import java.time.Duration;
import java.time.Instant;

/** Which event times the door takes, both ends inclusive. */
record EventTimes(Instant oldest, Instant newest) {

    /** Returns what may be taken at {@code now}, in whole seconds as event times are. */
    static EventTimes at(Instant now, Duration ageMax, Duration aheadMax) {
        Instant second = Instant.ofEpochSecond(now.getEpochSecond());
        return new EventTimes(second.minus(ageMax), second.plus(aheadMax));
    }

    boolean contain(Instant time) {
        return !time.isBefore(oldest) && !time.isAfter(newest);
    }

    /** @throws MalformedEventException if {@code time} is not taken */
    void require(String eventId, Instant time) throws MalformedEventException {
        if (!contain(time)) {
            throw new MalformedEventException(
                    eventId, ErrorCode.EVENT_TIME_INVALID, "gateway: invalid event timestamp");
        }
    }
}
