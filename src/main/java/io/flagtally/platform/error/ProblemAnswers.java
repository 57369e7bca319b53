package io.flagtally.platform.error;

import io.flagtally.platform.security.AccessDeniedException;
import io.vertx.core.http.HttpClosedException;
import jakarta.ws.rs.WebApplicationException;
import jakarta.ws.rs.core.HttpHeaders;
import jakarta.ws.rs.core.Response;
import jakarta.ws.rs.core.UriInfo;
import java.io.IOException;
import java.nio.channels.ClosedChannelException;
import org.jboss.logging.Logger;
import org.jboss.resteasy.reactive.RestResponse;
import org.jboss.resteasy.reactive.RestResponse.ResponseBuilder;
import org.jboss.resteasy.reactive.server.ServerExceptionMapper;
import org.jspecify.annotations.Nullable;

/**
 * Answers failures as {@link Problem}s. A resource that answers in the words of another contract declares a
 * {@link ServerExceptionMapper} of its own, which then wins for that resource.
 */
public final class ProblemAnswers {

    /** When a caller should come back after 429 or 503, in seconds. */
    public static final String RETRY_AFTER_SECONDS = "1";

    private static final Logger LOG = Logger.getLogger(ProblemAnswers.class);

    @ServerExceptionMapper
    RestResponse<Problem> answer(AccessDeniedException denied) {
        return switch (denied.denial()) {
            case MISSING_KEY ->
                answer(ErrorCode.UNAUTHENTICATED, "No API key was given; send it in the header 'authorization'.");
            case INVALID_KEY ->
                answer(
                        ErrorCode.PERMISSION_DENIED,
                        "The API key is unknown; flagtally.security.api-keys lists the keys.");
            case DISABLED_KEY -> answer(ErrorCode.PERMISSION_DENIED, "The API key is disabled.");
            case BAD_ROLE ->
                answer(ErrorCode.PERMISSION_DENIED, "The API key has no role for this; it needs READ_ONLY or ADMIN.");
            case OTHER_ENVIRONMENT ->
                answer(
                        ErrorCode.PERMISSION_DENIED,
                        "The API key belongs to another environment than 'environmentId' names; leave the parameter out.");
        };
    }

    @ServerExceptionMapper
    RestResponse<Problem> answer(RefusedException refused, UriInfo uri) {
        if (refused.code().httpStatus() == 500) {
            LOG.errorf("%s failed: %s", uri.getPath(), refused.detail());
        }
        return answer(refused.code(), refused.detail());
    }

    @ServerExceptionMapper
    RestResponse<Problem> answer(UnavailableException unavailable) {
        return answer(ErrorCode.UNAVAILABLE, String.valueOf(unavailable.getMessage()));
    }

    /** Answers what the framework itself refuses: no such path, method or media type. */
    @ServerExceptionMapper
    Response answer(WebApplicationException refused, UriInfo uri) {
        Response given = refused.getResponse();
        if (given.hasEntity() || given.getStatus() < 400) {
            return given;
        }
        String detail = given.getStatusInfo().getReasonPhrase() + ": " + uri.getPath() + "; /openapi lists the faces.";
        return Response.fromResponse(given)
                .entity(problem(given.getStatus(), codeOf(given.getStatus()), detail))
                .type(Problem.MEDIA_TYPE)
                .build();
    }

    @ServerExceptionMapper
    RestResponse<Problem> answer(Throwable failure, UriInfo uri) {
        if (isOfTheConnection(failure)) {
            LOG.infof("Whoever asked for %s is gone: %s", uri.getPath(), failure);
        } else {
            LOG.errorf(failure, "%s failed", uri.getPath());
        }
        return answer(ErrorCode.INTERNAL, "Something failed here that should not; the log of the service says what.");
    }

    /** Of the one who asked: connections of our own fail as {@link UnavailableException}, and no request reads a file. */
    private static boolean isOfTheConnection(Throwable failure) {
        return failure instanceof HttpClosedException
                || failure instanceof ClosedChannelException
                || failure.getClass() == IOException.class;
    }

    private static RestResponse<Problem> answer(ErrorCode code, String detail) {
        ResponseBuilder<Problem> answer = ResponseBuilder.create(
                        RestResponse.Status.fromStatusCode(code.httpStatus()), problem(code.httpStatus(), code, detail))
                .type(Problem.MEDIA_TYPE);
        return retryLater(code)
                ? answer.header(HttpHeaders.RETRY_AFTER, RETRY_AFTER_SECONDS).build()
                : answer.build();
    }

    /** Whether the same call may succeed later. */
    public static boolean retryLater(ErrorCode code) {
        return code.httpStatus() == 429 || code.httpStatus() == 503;
    }

    private static Problem problem(int status, ErrorCode code, String detail) {
        Response.@Nullable Status known = Response.Status.fromStatusCode(status);
        return new Problem("about:blank", known == null ? "Error" : known.getReasonPhrase(), status, detail, code);
    }

    private static ErrorCode codeOf(int status) {
        for (ErrorCode code : ErrorCode.values()) {
            if (code.httpStatus() == status) {
                return code;
            }
        }
        return status < 500 ? ErrorCode.INVALID_ARGUMENT : ErrorCode.INTERNAL;
    }
}
