package io.flagtally.pipeline;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import java.util.concurrent.atomic.AtomicInteger;

/** What passes between a broker and the pipeline, under the same names for every broker. */
final class BrokerMeters {

    private final AtomicInteger inFlight = new AtomicInteger();
    private final Counter redeliveries;

    BrokerMeters(MeterRegistry meters) {
        redeliveries = meters.counter("flagtally.broker.redeliveries");
        Gauge.builder("flagtally.broker.in_flight", inFlight, AtomicInteger::get)
                .baseUnit("messages")
                .register(meters);
    }

    void taken(Arrival arrival) {
        inFlight.incrementAndGet();
        if (arrival.again()) {
            redeliveries.increment();
        }
    }

    void settled() {
        inFlight.decrementAndGet();
    }
}
