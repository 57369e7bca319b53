package io.flagtally.broker.azure;

import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.proton.ProtonReceiver;
import io.vertx.proton.ProtonSender;
import java.util.HashMap;
import java.util.Map;
import java.util.UUID;
import org.apache.qpid.proton.amqp.messaging.AmqpValue;
import org.apache.qpid.proton.amqp.messaging.ApplicationProperties;
import org.apache.qpid.proton.amqp.messaging.Target;
import org.apache.qpid.proton.message.Message;
import org.jspecify.annotations.Nullable;

/**
 * A node of Service Bus that answers questions, such as the management of a queue. Its two links are attached when
 * something is asked, and again when Service Bus ended them. Belongs to the event loop of its connection.
 */
final class AzureNode {

    private static final int ANSWERS_AT_ONCE = 10;
    private static final int OK = 200;
    private static final int OK_MAX = 299;

    private final AzureConnection connection;
    private final String address;
    private final String replyTo = "flagtally-" + UUID.randomUUID();
    private final Map<String, Promise<Void>> asked = new HashMap<>();
    private @Nullable Future<ProtonSender> sender;

    AzureNode(AzureConnection connection, String address) {
        this.connection = connection;
        this.address = address;
    }

    /** Done when the node consents. */
    Future<Void> ask(Map<String, Object> properties, Object body) {
        return sender().compose(to -> {
            Message question = Message.Factory.create();
            String id = UUID.randomUUID().toString();
            question.setMessageId(id);
            question.setReplyTo(replyTo);
            question.setApplicationProperties(new ApplicationProperties(properties));
            question.setBody(new AmqpValue(body));
            Promise<Void> answer = connection.await(AzureConnection.ANSWER_MILLIS);
            asked.put(id, answer);
            connection.send(to, question).onFailure(answer::tryFail);
            return answer.future().onComplete(done -> asked.remove(id));
        });
    }

    private Future<ProtonSender> sender() {
        Future<ProtonSender> known = sender;
        if (known != null) {
            return known;
        }
        Future<ProtonSender> attached = connection
                .receiver(
                        proton -> {
                            ProtonReceiver receiver = proton.createReceiver(address)
                                    .setPrefetch(ANSWERS_AT_ONCE)
                                    .setAutoAccept(true)
                                    .handler((delivery, message) -> answered(message));
                            Target target = new Target();
                            target.setAddress(replyTo);
                            return receiver.setTarget(target);
                        },
                        this::ended)
                .compose(receiver -> connection.sender(address, this::ended));
        sender = attached;
        return attached.onFailure(failure -> sender = null);
    }

    private void ended(AzureException why) {
        sender = null;
        Map.copyOf(asked).values().forEach(answer -> answer.tryFail(why));
    }

    private void answered(Message message) {
        Promise<Void> answer = asked.get(String.valueOf(message.getCorrelationId()));
        if (answer == null) {
            return;
        }
        ApplicationProperties properties = message.getApplicationProperties();
        Map<String, Object> said = properties == null ? Map.of() : properties.getValue();
        int status = either(said, "statusCode", "status-code") instanceof Number code ? code.intValue() : 0;
        boolean unused = status >= OK && status <= OK_MAX
                ? answer.tryComplete()
                : answer.tryFail(new AzureException(
                        String.valueOf(either(said, "errorCondition", "error-condition")),
                        status + " " + either(said, "statusDescription", "status-description")));
    }

    /** Management and authorization spell their answers differently. */
    private static @Nullable Object either(Map<String, Object> said, String one, String other) {
        Object value = said.get(one);
        return value == null ? said.get(other) : value;
    }
}
