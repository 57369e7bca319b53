package io.flagtally.broker;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.flagtally.platform.Availability;
import io.flagtally.platform.Availability.Work;
import io.flagtally.platform.BrokerInUse;
import io.flagtally.platform.BrokerState;
import io.flagtally.platform.BrokerState.Look;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.smallrye.config.PropertiesConfigSource;
import io.smallrye.config.SmallRyeConfigBuilder;
import io.smallrye.mutiny.Multi;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalLong;
import org.eclipse.microprofile.reactive.messaging.Message;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** What looks at the broker tell, and what they do not. */
class BrokerWatchTest {

    private static final String IN = "mp.messaging.incoming.events.connector";
    private static final String OUT = "mp.messaging.outgoing.events-out.connector";

    private final State broker = new State();
    private final Availability availability = new Availability();
    private final BrokerInUse inUse = new BrokerInUse();
    private final SimpleMeterRegistry meters = new SimpleMeterRegistry();
    private Instant now = Instant.parse("2026-11-21T06:00:00Z");
    private final RecentSends sends = new RecentSends(() -> now);

    @Test
    void ask_oneLookFails_shutsNoDoor_theSecondDoes() {
        BrokerWatch watch = watch(Map.of(IN, "smallrye-test", OUT, "smallrye-test"));
        broker.publishing = "throttled";

        watch.ask();
        assertEquals(Map.of(), availability.missing(Work.ACCEPT));
        broker.publishing = null;
        watch.ask();
        broker.publishing = "away";
        watch.ask();
        assertEquals(Map.of(), availability.missing(Work.ACCEPT), "a look between them was fine");
        watch.ask();

        assertEquals(Map.of("broker", "away"), availability.missing(Work.ACCEPT));
        assertEquals(Map.of(), availability.missing(Work.CONSUME));
        assertEquals(Optional.of("away"), Objects.requireNonNull(inUse.said()).missing());
        broker.publishing = null;
        watch.ask();
        assertEquals(Map.of(), availability.missing(Work.ACCEPT), "the first look that is fine opens it");
    }

    @Test
    void ask_looksFailWhileSendsAreConfirmed_shutsNoDoor() {
        BrokerWatch watch = watch(Map.of(IN, "smallrye-test", OUT, "smallrye-test"));
        broker.publishing = "forbidden to look";
        for (int i = 0; i < 10; i++) {
            confirm("events-out");
            now = now.plusSeconds(5);
            watch.ask();
            assertEquals(Map.of(), availability.missing(Work.ACCEPT));
        }

        now = now.plusSeconds(5);
        confirm("mirror-out");
        watch.ask();

        assertEquals(Map.of("broker", "forbidden to look"), availability.missing(Work.ACCEPT));
    }

    @Test
    void ask_mayLoseWhatItConfirms_shutsTheDoorAtTheFirstLookWhateverIsConfirmed() {
        BrokerWatch watch = watch(Map.of(IN, "smallrye-test", OUT, "smallrye-test"));
        broker.look = new Look(Optional.empty(), Optional.of("it may drop events"));
        confirm("events-out");

        watch.ask();

        assertEquals(Map.of("broker", "it may drop events"), availability.missing(Work.ACCEPT));
        assertEquals(Map.of("broker", "it may drop events"), availability.missing(Work.CONSUME));
        assertEquals(7, lag(), "it answers");
        broker.look = Look.unusable("slow");
        watch.ask();
        assertEquals(
                Map.of("broker", "it may drop events"), availability.missing(Work.ACCEPT), "nothing was found mended");
        broker.look = Look.FINE;
        watch.ask();
        assertEquals(Map.of(), availability.missing(Work.ACCEPT));
        assertEquals(Map.of(), availability.missing(Work.CONSUME));
    }

    @Test
    void ask_bothSides_looksOnceAndAsksNoSideOfABrokerThatIsAway() {
        BrokerWatch watch = watch(Map.of(IN, "smallrye-test", OUT, "smallrye-test"));
        broker.look = Look.unusable("away");
        broker.publishing = "never asked";

        watch.ask();
        watch.ask();

        assertEquals(2, broker.looks);
        assertEquals(Map.of("broker", "away"), availability.missing(Work.ACCEPT));
        assertEquals(Map.of("broker", "away"), availability.missing(Work.CONSUME));
    }

    @Test
    void ask_consumesOnly_tellsOfConsumingAlone() {
        BrokerWatch watch = watch(Map.of(IN, "smallrye-test", OUT, "flagtally-idle"));
        broker.publishing = "forbidden";
        broker.consuming = "the queue is gone";

        watch.ask();
        watch.ask();

        assertEquals(Map.of("broker", "the queue is gone"), availability.missing(Work.CONSUME));
        assertEquals(Map.of(), availability.missing(Work.ACCEPT));
        assertEquals(
                Optional.of("the queue is gone"),
                Objects.requireNonNull(inUse.said()).missing());
    }

    @Test
    void ask_lag_isNoNumberWhileNothingCanBeConsumed() {
        BrokerWatch watch = watch(Map.of(IN, "smallrye-test", OUT, "flagtally-idle"));
        watch.ask();
        assertEquals(7, lag());

        broker.consuming = "away";
        watch.ask();

        assertTrue(Double.isNaN(lag()));
        assertEquals(OptionalLong.empty(), Objects.requireNonNull(inUse.said()).lag());
    }

    private double lag() {
        return meters.get("flagtally.broker.lag").gauge().value();
    }

    private void confirm(String channel) {
        Multi<Message<?>> messages = Multi.createFrom().item(Message.of("x"));
        Message<?> sent =
                sends.decorate(messages, List.of(channel), true).toUni().await().indefinitely();
        sent.ack().toCompletableFuture().join();
    }

    private BrokerWatch watch(Map<String, String> keys) {
        Channels channels = new Channels(
                new SmallRyeConfigBuilder()
                        .withSources(new PropertiesConfigSource(keys, "test", 100))
                        .build(),
                List.of());
        return new BrokerWatch(List.of(broker), channels, availability, inUse, sends, meters);
    }

    private static final class State implements BrokerState {

        private Look look = Look.FINE;
        private int looks;
        private @Nullable String publishing;
        private @Nullable String consuming;

        @Override
        public String connector() {
            return "smallrye-test";
        }

        @Override
        public String name() {
            return "the broker of the test";
        }

        @Override
        public OptionalLong lag() {
            return OptionalLong.of(7);
        }

        @Override
        public Look look() {
            looks++;
            return look;
        }

        @Override
        public Optional<String> cannotPublish() {
            return Optional.ofNullable(publishing);
        }

        @Override
        public Optional<String> cannotConsume() {
            return Optional.ofNullable(consuming);
        }
    }
}
