package io.flagtally.broker.azure;

import org.apache.qpid.proton.amqp.transport.ErrorCondition;
import org.jspecify.annotations.Nullable;

/** What Service Bus, or the lack of it, answered. Stackless: it is expected. */
final class AzureException extends RuntimeException {

    static final String TOO_LARGE = "amqp:link:message-size-exceeded";
    static final String BUSY = "com.microsoft:server-busy";
    static final String IDLE = "amqp:link:detach-forced";
    static final String LOCK_LOST = "com.microsoft:message-lock-lost";

    static final String NO_TOKEN = "flagtally:no-token";

    private static final String AWAY = "flagtally:away";
    private static final long serialVersionUID = 1L;

    private final String condition;

    AzureException(String condition, String description) {
        super(condition.startsWith("flagtally:") ? description : condition + ": " + description, null, false, false);
        this.condition = condition;
    }

    /** It did not answer, or the connection ended. */
    static AzureException away(String description) {
        return new AzureException(AWAY, description);
    }

    /** Entra ID refuses a token. */
    static AzureException noToken(String description) {
        return new AzureException(NO_TOKEN, description.replaceAll("\\s+", " "));
    }

    static AzureException of(@Nullable ErrorCondition error) {
        if (error == null || error.getCondition() == null) {
            return away("it ended the link without a reason");
        }
        return new AzureException(
                error.getCondition().toString(),
                String.valueOf(error.getDescription()).replaceAll("\\s+", " "));
    }

    /** Whether the same will be taken after a pause. */
    boolean isForNow() {
        return condition.equals(BUSY) || condition.equals("com.microsoft:timeout");
    }

    /** The condition in AMQP's words. */
    String condition() {
        return condition;
    }
}
