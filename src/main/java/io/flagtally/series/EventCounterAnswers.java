package io.flagtally.series;

import io.flagtally.platform.error.ErrorCode;
import io.flagtally.platform.error.ProblemAnswers;
import io.flagtally.platform.error.RefusedException;
import io.flagtally.platform.error.StatusAnswer;
import io.flagtally.platform.error.StatusAnswer.ErrorInfo;
import io.flagtally.platform.error.UnavailableException;
import io.flagtally.platform.security.AccessDeniedException;
import jakarta.ws.rs.core.HttpHeaders;
import jakarta.ws.rs.core.MediaType;
import java.util.Map;
import org.jboss.logging.Logger;
import org.jboss.resteasy.reactive.RestResponse;
import org.jboss.resteasy.reactive.RestResponse.ResponseBuilder;

/** Failures of the event counter, in the words of the wire contract. */
final class EventCounterAnswers {

    static final String DOMAIN = "eventcounter.bucketeer.io";

    private static final Logger LOG = Logger.getLogger(EventCounterAnswers.class);

    private EventCounterAnswers() {}

    static RestResponse<StatusAnswer> of(Throwable failure) {
        if (failure instanceof AccessDeniedException denied) {
            return ofDenial(denied);
        }
        if (failure instanceof EventCounterException argument) {
            return answer(
                    ErrorCode.INVALID_ARGUMENT,
                    StatusAnswer.of(
                            ErrorCode.INVALID_ARGUMENT, String.valueOf(argument.getMessage()), argument.info()));
        }
        if (failure instanceof RefusedException refused) {
            if (refused.code().httpStatus() == 500) {
                LOG.errorf("The event counter failed: %s", refused.detail());
            }
            return answer(refused.code(), refused.detail(), refused.code().name(), "RefusedError");
        }
        if (failure instanceof UnavailableException) {
            String sentence = String.valueOf(failure.getMessage());
            return answer(ErrorCode.UNAVAILABLE, sentence, "UNAVAILABLE", "UnavailableError");
        }
        LOG.error("The event counter failed", failure);
        return answer(ErrorCode.INTERNAL, "internal", "INTERNAL", "InternalServerError");
    }

    private static RestResponse<StatusAnswer> ofDenial(AccessDeniedException denied) {
        return switch (denied.denial()) {
            case MISSING_KEY, INVALID_KEY, DISABLED_KEY ->
                answer(ErrorCode.UNAUTHENTICATED, "unauthenticated", "UNAUTHENTICATED", "UnauthenticatedError");
            case BAD_ROLE, OTHER_ENVIRONMENT ->
                answer(ErrorCode.PERMISSION_DENIED, "permission denied", "PERMISSION_DENIED", "PermissionDeniedError");
        };
    }

    private static RestResponse<StatusAnswer> answer(
            ErrorCode code, String sentence, String reason, String messageKey) {
        ErrorInfo info = new ErrorInfo(reason, DOMAIN, Map.of("messageKey", messageKey));
        return answer(code, StatusAnswer.of(code, "eventcounter:" + sentence, info));
    }

    private static RestResponse<StatusAnswer> answer(ErrorCode code, StatusAnswer body) {
        ResponseBuilder<StatusAnswer> answer = ResponseBuilder.create(
                        RestResponse.Status.fromStatusCode(code.httpStatus()), body)
                .type(MediaType.APPLICATION_JSON_TYPE);
        return ProblemAnswers.retryLater(code)
                ? answer.header(HttpHeaders.RETRY_AFTER, ProblemAnswers.RETRY_AFTER_SECONDS)
                        .build()
                : answer.build();
    }
}
