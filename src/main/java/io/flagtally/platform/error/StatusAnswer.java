package io.flagtally.platform.error;

import com.fasterxml.jackson.annotation.JsonProperty;
import java.util.List;
import java.util.Map;

/**
 * An error as the wire contract words it: {@code google.rpc.Status} in JSON.
 *
 * @param code a canonical gRPC code, 3 for an invalid argument
 */
public record StatusAnswer(int code, String message, List<ErrorInfo> details) {

    /** A {@code google.rpc.ErrorInfo}. */
    public record ErrorInfo(
            @JsonProperty("@type") String type, String reason, String domain, Map<String, String> metadata) {

        private static final String TYPE = "type.googleapis.com/google.rpc.ErrorInfo";

        public ErrorInfo(String reason, String domain, Map<String, String> metadata) {
            this(TYPE, reason, domain, metadata);
        }
    }

    /** Returns an answer without details. */
    public static StatusAnswer of(ErrorCode code, String message) {
        return new StatusAnswer(rpcCode(code), message, List.of());
    }

    public static StatusAnswer of(ErrorCode code, String message, ErrorInfo detail) {
        return new StatusAnswer(rpcCode(code), message, List.of(detail));
    }

    private static int rpcCode(ErrorCode code) {
        return switch (code.httpStatus()) {
            case 400 -> 3;
            case 404 -> 5;
            case 409 -> 9;
            case 403 -> 7;
            case 413, 429 -> 8;
            case 503 -> 14;
            case 401 -> 16;
            default -> 13;
        };
    }
}
