package io.flagtally.broker.azure;

import io.vertx.proton.sasl.MechanismMismatchException;
import java.util.concurrent.CompletionException;
import javax.security.sasl.AuthenticationException;

/**
 * What a failure of Service Bus means to an operator.
 *
 * @param kind who can mend it
 * @param detail its own words, on one line
 */
record AzureFailure(Kind kind, String detail) {

    enum Kind {
        /** It does not exist. */
        MISSING,
        /** The key is wrong. */
        CREDENTIALS,
        /** Entra ID gives the identity no token. */
        IDENTITY,
        /** The policy or the identity may not do this. */
        PERMISSION,
        /** The message is larger than the namespace takes. */
        TOO_LARGE,
        /** It may work later. */
        AWAY
    }

    static AzureFailure of(Throwable failure) {
        Throwable cause = failure;
        while (cause instanceof CompletionException && cause.getCause() != null) {
            cause = cause.getCause();
        }
        String message = cause.getMessage();
        String detail = message == null ? "no answer in time" : message.replaceAll("\\s+", " ");
        if (cause instanceof AuthenticationException || cause instanceof MechanismMismatchException) {
            return new AzureFailure(Kind.CREDENTIALS, detail);
        }
        return new AzureFailure(
                cause instanceof AzureException answered ? kind(answered.condition()) : Kind.AWAY, detail);
    }

    /** A sentence about the entity {@code name}, which stands in {@code key}. */
    String sentence(String name, String key) {
        return switch (kind) {
            case MISSING ->
                name + " does not exist in Service Bus (" + detail + "); create it, or correct " + key + ".";
            case CREDENTIALS ->
                "Service Bus does not accept the key (" + detail
                        + "); correct SharedAccessKeyName and SharedAccessKey in"
                        + " flagtally.broker.azure.connection-string.";
            case IDENTITY ->
                "Entra ID gives no token for Service Bus (" + detail + "); correct flagtally.broker.azure.identity.*.";
            case PERMISSION ->
                "Service Bus does not allow us to use " + name + " (" + detail
                        + "); give the policy Send and Listen, or the identity the roles Azure Service Bus Data Sender and"
                        + " Data Receiver, or correct " + key + ".";
            case TOO_LARGE ->
                "A message is too large for " + name + " (" + detail + "); lower flagtally.broker.message.bytes-max.";
            case AWAY -> "Service Bus cannot be used for " + name + " just now (" + detail + ")";
        };
    }

    /** Whether waiting cannot help. */
    boolean isFinal() {
        return kind != Kind.AWAY;
    }

    private static Kind kind(String condition) {
        return switch (condition) {
            case "amqp:not-found", "com.microsoft:messaging-entity-not-found" -> Kind.MISSING;
            case "amqp:unauthorized-access", "com.microsoft:auth-failed" -> Kind.PERMISSION;
            case AzureException.NO_TOKEN -> Kind.IDENTITY;
            case AzureException.TOO_LARGE -> Kind.TOO_LARGE;
            default -> Kind.AWAY;
        };
    }
}
