package io.flagtally.platform.error;

import io.flagtally.platform.security.AccessDeniedException;
import jakarta.ws.rs.WebApplicationException;
import jakarta.ws.rs.core.HttpHeaders;
import jakarta.ws.rs.core.MediaType;
import jakarta.ws.rs.core.Response;
import org.jboss.logging.Logger;

/** Answers failures in the words of the wire contract. What was not foreseen is logged, and answered with a sentence. */
public final class StatusAnswers {

    /** When a caller should come back after 429 or 503, in seconds. */
    public static final String RETRY_AFTER_SECONDS = ProblemAnswers.RETRY_AFTER_SECONDS;

    private static final Logger LOG = Logger.getLogger(StatusAnswers.class);

    private StatusAnswers() {}

    /** Returns the answer to a call that ended in {@code failure}. */
    public static Response of(Throwable failure) {
        if (failure instanceof AccessDeniedException denied) {
            return denied(denied);
        }
        if (failure instanceof RefusedException refused) {
            return of(refused.code(), refused.detail());
        }
        if (failure instanceof UnavailableException unavailable) {
            return of(ErrorCode.UNAVAILABLE, String.valueOf(unavailable.getMessage()));
        }
        if (failure instanceof WebApplicationException refused) {
            return refused.getResponse();
        }
        LOG.error("A call failed that should not", failure);
        return of(ErrorCode.INTERNAL, "internal");
    }

    /** Returns the answer to a call that is refused for {@code code}. */
    public static Response of(ErrorCode code, String message) {
        return answer(code, StatusAnswer.of(code, message));
    }

    private static Response denied(AccessDeniedException denied) {
        return switch (denied.denial()) {
            case MISSING_KEY -> of(ErrorCode.UNAUTHENTICATED, "gateway: missing APIKey");
            case INVALID_KEY -> of(ErrorCode.PERMISSION_DENIED, "gateway: invalid APIKey");
            case DISABLED_KEY -> of(ErrorCode.PERMISSION_DENIED, "gateway: disabled APIKey");
            case BAD_ROLE -> of(ErrorCode.PERMISSION_DENIED, "gateway: bad role");
            case OTHER_ENVIRONMENT -> of(ErrorCode.PERMISSION_DENIED, "gateway: APIKey of another environment");
        };
    }

    private static Response answer(ErrorCode code, StatusAnswer body) {
        Response.ResponseBuilder answer =
                Response.status(code.httpStatus()).entity(body).type(MediaType.APPLICATION_JSON_TYPE);
        if (ProblemAnswers.retryLater(code)) {
            answer.header(HttpHeaders.RETRY_AFTER, RETRY_AFTER_SECONDS);
        }
        return answer.build();
    }
}
