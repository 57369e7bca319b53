package io.flagtally.brokers;

import static org.awaitility.Awaitility.await;

import io.flagtally.brokers.BrokerForTests.Raw;
import java.util.List;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;

/** The contract of a broker that keeps the order of a key when that is switched on. */
public abstract class OrderedBrokerContract extends BrokerContract {

    private static final int USERS = 10;
    private static final int EVENTS_OF_A_USER = 4;

    @Override
    String[] lastSettings() {
        return new String[] {
            "flagtally.broker.key=user", "flagtally.broker.ordered=true", "flagtally.broker.message.events-max=1"
        };
    }

    /**
     * An event a message, so that many of one key are on their way at once: whoever sends them side by side, or over
     * several partitions, does not keep their order.
     */
    @Test
    @Order(110)
    void key_ofAUser_keepsTheOrder() {
        keep(broker().read(BrokerForTests.EVENTS, BrokerForTests.SECOND_GROUP));
        SentEvents events = sent(new SentEvents("ordered-" + broker().profile(), 0, USERS));
        service().have(lastSettings());
        service().ready();
        for (int i = 0; i < 5; i++) {
            String request = events.request(USERS * EVENTS_OF_A_USER);
            await().atMost(PATIENCE).until(() -> service().takes(request));
        }
        assertCounted(events);

        List<Raw> messages = broker().read(BrokerForTests.EVENTS, BrokerForTests.SECOND_GROUP);
        keep(messages);
        OrderOfUsers order = new OrderOfUsers(events.ids(), USERS);
        messages.forEach(message -> ids(message).forEach(order::next));
        order.end();
    }
}
