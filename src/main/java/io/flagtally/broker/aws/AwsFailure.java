package io.flagtally.broker.aws;

import java.util.Locale;
import java.util.concurrent.CompletionException;
import java.util.regex.Pattern;
import software.amazon.awssdk.awscore.exception.AwsServiceException;
import software.amazon.awssdk.core.exception.SdkClientException;

/**
 * What a failure of an AWS client means to an operator.
 *
 * @param kind who can mend it
 * @param detail AWS' own words
 */
record AwsFailure(Kind kind, String detail) {

    enum Kind {
        /** It does not exist. */
        MISSING,
        /** The caller is not known to AWS, or not who it says. */
        CREDENTIALS,
        /** The caller may not do this. */
        PERMISSION,
        /** No region is known. */
        REGION,
        /** It may work later. */
        AWAY
    }

    /** What the SDK advises developers after a lost connection. */
    private static final Pattern ADVICE =
            Pattern.compile("\\. The request will usually succeed on a retry.*", Pattern.DOTALL);

    static AwsFailure of(Throwable failure) {
        Throwable cause = failure;
        while (cause instanceof CompletionException && cause.getCause() != null) {
            cause = cause.getCause();
        }
        if (cause instanceof AwsServiceException refused && refused.awsErrorDetails() != null) {
            String code = refused.awsErrorDetails().errorCode();
            return new AwsFailure(
                    kind(String.valueOf(code), refused.statusCode()),
                    code + ": " + refused.awsErrorDetails().errorMessage());
        }
        String text = String.valueOf(cause.getMessage());
        if (cause instanceof SdkClientException && text.contains("Unable to load region")) {
            return new AwsFailure(Kind.REGION, text);
        }
        if (cause instanceof SdkClientException && text.contains("Unable to load credentials")) {
            return new AwsFailure(Kind.CREDENTIALS, "no credentials were found");
        }
        return new AwsFailure(Kind.AWAY, ADVICE.matcher(text).replaceFirst(""));
    }

    /** A sentence about {@code address}, which stands in {@code key}. */
    String sentence(AwsAddress address, String key) {
        return switch (kind) {
            case MISSING -> capital(address + " does not exist (" + detail + "); create it, or correct " + key + ".");
            case CREDENTIALS ->
                "AWS does not accept the caller at " + address + " (" + detail
                        + "); set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or give the machine a role.";
            case PERMISSION ->
                "AWS does not allow the caller to use " + address + " (" + detail + "); allow it in IAM, or correct "
                        + key + ".";
            case REGION -> "The region of " + address + " is not known; set flagtally.broker.aws.region.";
            case AWAY -> capital(address + " does not answer (" + detail + "); it is waited for.");
        };
    }

    /** Whether waiting cannot help. */
    boolean isFinal() {
        return kind != Kind.AWAY;
    }

    private static Kind kind(String code, int status) {
        if (code.contains("NonExistentQueue") || code.contains("QueueDoesNotExist") || code.equals("NotFound")) {
            return Kind.MISSING;
        }
        if (code.contains("InvalidClientTokenId")
                || code.contains("SignatureDoesNotMatch")
                || code.contains("UnrecognizedClient")
                || code.contains("InvalidAccessKeyId")
                || code.contains("ExpiredToken")
                || code.contains("MissingAuthentication")
                || code.contains("InvalidSecurity")) {
            return Kind.CREDENTIALS;
        }
        boolean refused = status == 403 || code.contains("AccessDenied") || code.contains("AuthorizationError");
        return refused ? Kind.PERMISSION : Kind.AWAY;
    }

    private static String capital(String sentence) {
        return sentence.substring(0, 1).toUpperCase(Locale.ROOT) + sentence.substring(1);
    }
}
