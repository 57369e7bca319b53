package io.flagtally.broker.gcp;

import com.google.api.gax.rpc.ApiException;
import com.google.api.gax.rpc.StatusCode.Code;
import java.io.IOException;
import java.util.concurrent.CompletionException;

/**
 * What a failure of a Pub/Sub client means to an operator.
 *
 * @param kind who can mend it
 * @param detail Google's own words, on one line
 */
record GcpFailure(Kind kind, String detail) {

    enum Kind {
        /** It does not exist. */
        MISSING,
        /** Its name is none that Pub/Sub knows. */
        NAME,
        /** It does not keep the order that is asked for. */
        UNORDERED,
        /** The caller is not known to Google. */
        CREDENTIALS,
        /** The caller may not do this. */
        PERMISSION,
        /** It may work later. */
        AWAY
    }

    static GcpFailure of(Throwable failure) {
        Throwable cause = failure;
        while (cause instanceof CompletionException && cause.getCause() != null) {
            cause = cause.getCause();
        }
        String detail = oneLine(cause);
        if (cause instanceof ApiException refused) {
            return new GcpFailure(kind(refused.getStatusCode().getCode()), detail);
        }
        boolean noCredentials = cause instanceof IOException && detail.contains("default credentials");
        return new GcpFailure(noCredentials ? Kind.CREDENTIALS : Kind.AWAY, detail);
    }

    static String oneLine(Throwable failure) {
        String message = failure.getMessage();
        return message == null ? "no answer in time" : message.replaceAll("\\s+", " ");
    }

    private static Kind kind(Code code) {
        return switch (code) {
            case NOT_FOUND -> Kind.MISSING;
            case INVALID_ARGUMENT -> Kind.NAME;
            case UNAUTHENTICATED -> Kind.CREDENTIALS;
            case PERMISSION_DENIED -> Kind.PERMISSION;
            default -> Kind.AWAY;
        };
    }

    /** A sentence about {@code name}, which stands in {@code key}. */
    String sentence(String name, String key) {
        return switch (kind) {
            case MISSING -> name + " does not exist in Pub/Sub (" + detail + "); create it, or correct " + key + ".";
            case NAME -> "Pub/Sub does not take the name " + name + " (" + detail + "); correct " + key + ".";
            case UNORDERED ->
                name
                        + " was made without message ordering, but flagtally.broker.ordered is true; set it to false, since"
                        + " the counts do not need order, or name a subscription with message ordering in " + key + ".";
            case CREDENTIALS ->
                "Google does not accept the caller at " + name + " (" + detail
                        + "); set flagtally.broker.gcp.credentials-file, or give the machine a service account.";
            case PERMISSION ->
                "Google does not allow the caller to use " + name + " (" + detail + "); grant it a role, or correct "
                        + key + ".";
            case AWAY -> "Pub/Sub does not answer for " + name + " (" + detail + ")";
        };
    }

    /** Whether waiting cannot help. */
    boolean isFinal() {
        return kind != Kind.AWAY;
    }
}
