package io.flagtally.broker.gcp;

import com.google.protobuf.ByteString;
import com.google.pubsub.v1.PublishRequest;
import com.google.pubsub.v1.PubsubMessage;
import io.flagtally.broker.OutgoingHeaders;
import io.smallrye.mutiny.Uni;
import java.nio.charset.StandardCharsets;
import org.eclipse.microprofile.reactive.messaging.Message;

/** Sends to a topic of Pub/Sub; a key becomes the ordering key where order is asked for. */
final class PubSubTarget {

    /** Leaves room for the headers in the 10 MB that Pub/Sub takes. */
    static final int PAYLOAD_BYTES_MAX = 9_900_000;

    private static final int ATTRIBUTE_BYTES_MAX = 1024;

    private final GcpClients clients;
    private final String topic;
    private final boolean ordered;

    PubSubTarget(GcpClients clients, String topic, boolean ordered) {
        this.clients = clients;
        this.topic = topic;
        this.ordered = ordered;
    }

    /** Done when Pub/Sub has the message. */
    Uni<Void> send(Message<?> message) {
        OutgoingHeaders outgoing = message.getMetadata(OutgoingHeaders.class)
                .orElseThrow(() -> new IllegalStateException("a message without OutgoingHeaders was sent"));
        PubsubMessage.Builder sent =
                PubsubMessage.newBuilder().setData(ByteString.copyFrom((byte[]) message.getPayload()));
        outgoing.headers().forEach((name, value) -> sent.putAttributes(name, shortened(value)));
        String key = outgoing.key();
        if (ordered && key != null) {
            sent.setOrderingKey(shortened(key));
        }
        PublishRequest request =
                PublishRequest.newBuilder().setTopic(topic).addMessages(sent).build();
        return clients.publisher(stub -> stub.publishCallable().futureCall(request))
                .replaceWithVoid();
    }

    /** Cut so that it has at most as many bytes as Pub/Sub takes. */
    private static String shortened(String value) {
        int end = value.length();
        while (value.substring(0, end).getBytes(StandardCharsets.UTF_8).length > ATTRIBUTE_BYTES_MAX) {
            end = Math.min(end - 1, ATTRIBUTE_BYTES_MAX);
        }
        return value.substring(0, end);
    }
}
