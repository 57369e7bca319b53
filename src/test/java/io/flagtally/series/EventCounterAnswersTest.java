package io.flagtally.series;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import io.flagtally.platform.error.ErrorCode;
import io.flagtally.platform.error.RefusedException;
import io.flagtally.platform.error.StatusAnswer;
import io.flagtally.platform.error.UnavailableException;
import org.jboss.resteasy.reactive.RestResponse;
import org.junit.jupiter.api.Test;

class EventCounterAnswersTest {

    @Test
    void of_storeAway_isUnavailableAndToBeTriedAgain() {
        assertAnswer(new UnavailableException("Redis is away.", null), 503, 14, "eventcounter:Redis is away.", true);
    }

    @Test
    void of_tooManyReads_isExhaustedAndToBeTriedAgain() {
        RefusedException full = new RefusedException(ErrorCode.RESOURCE_EXHAUSTED, "Too many.");

        assertAnswer(full, 429, 8, "eventcounter:Too many.", true);
    }

    @Test
    void of_ourFault_saysNothingOfTheInside() {
        assertAnswer(new IllegalStateException("secret"), 500, 13, "eventcounter:internal", false);
    }

    private static void assertAnswer(Throwable failure, int status, int code, String message, boolean retryAfter) {
        try (RestResponse<StatusAnswer> answer = EventCounterAnswers.of(failure)) {
            assertEquals(status, answer.getStatus());
            assertEquals(code, answer.getEntity().code());
            assertEquals(message, answer.getEntity().message());
            assertEquals(retryAfter, answer.getHeaders().containsKey("Retry-After"));
            assertFalse(answer.getEntity().toString().contains("secret"));
        }
    }
}
