package io.flagtally.demo;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/**
 * A flag of the demo and who gets which variation of it.
 *
 * @param label what people call it
 * @param likelihood that a visit evaluates it, 0 to 1
 * @param age how many days ago it went live; before that it has no events
 * @param rampDays over how many days the first variation grows from 1 % to its share; 0 for at once
 * @param variations with their shares, which add up to 1
 */
record DemoFlag(String id, String label, double likelihood, int age, int rampDays, List<Variation> variations) {

    private static final int FOR_EVER = 60;
    private static final double RAMP_START = 0.01;

    /** A variation and its share of users, 0 to 1. */
    record Variation(String id, String label, double share) {}

    static final List<DemoFlag> ALL = List.of(
            new DemoFlag(
                    "checkout-flow",
                    "Checkout flow",
                    0.55,
                    FOR_EVER,
                    0,
                    List.of(
                            new Variation("classic", "Classic", 0.5),
                            new Variation("express", "Express", 0.3),
                            new Variation("one-page", "One page", 0.2))),
            new DemoFlag(
                    "new-search",
                    "New search",
                    0.8,
                    16,
                    16,
                    List.of(new Variation("on", "On", 0.7), new Variation("off", "Off", 0.3))),
            new DemoFlag(
                    "recommendations",
                    "Recommendation engine",
                    0.7,
                    FOR_EVER,
                    0,
                    List.of(
                            new Variation("trending", "Trending", 0.4),
                            new Variation("collaborative", "Collaborative", 0.3),
                            new Variation("neural", "Neural", 0.2),
                            new Variation("editorial", "Editorial", 0.1))),
            new DemoFlag(
                    "dark-mode",
                    "Dark mode",
                    0.9,
                    FOR_EVER,
                    0,
                    List.of(new Variation("on", "On", 0.5), new Variation("off", "Off", 0.5))),
            new DemoFlag(
                    "pricing-banner",
                    "Pricing banner",
                    0.4,
                    22,
                    0,
                    List.of(
                            new Variation("control", "Control", 0.34),
                            new Variation("blue", "Blue", 0.33),
                            new Variation("green", "Green", 0.33))),
            new DemoFlag(
                    "free-shipping-hint",
                    "Free shipping hint",
                    0.35,
                    FOR_EVER,
                    0,
                    List.of(new Variation("shown", "Shown", 0.8), new Variation("hidden", "Hidden", 0.2))),
            new DemoFlag(
                    "onboarding-tour",
                    "Onboarding tour",
                    0.12,
                    FOR_EVER,
                    0,
                    List.of(
                            new Variation("short", "Short", 0.4),
                            new Variation("long", "Long", 0.3),
                            new Variation("none", "None", 0.3))),
            new DemoFlag(
                    "payment-retry",
                    "Payment retry",
                    0.08,
                    9,
                    5,
                    List.of(new Variation("on", "On", 0.5), new Variation("off", "Off", 0.5))));

    /** The names of all flags and variations and of the {@code environment}, as the service takes them. */
    static String labels(String environment) {
        List<String> labels = new ArrayList<>();
        labels.add(label(environment));
        labels.add("{\"kind\":\"GOAL\",\"id\":\"purchase\",\"name\":\"Purchase\"}");
        for (DemoFlag flag : ALL) {
            labels.add("{\"kind\":\"FLAG\",\"id\":\"" + flag.id + "\",\"name\":\"" + flag.label + "\"}");
            for (Variation variation : flag.variations) {
                labels.add("{\"kind\":\"VARIATION\",\"featureId\":\"" + flag.id + "\",\"id\":\"" + variation.id
                        + "\",\"name\":\"" + variation.label + "\"}");
            }
        }
        return "{\"labels\":[" + String.join(",", labels) + "]}";
    }

    /** The name of the {@code environment} alone, as the service takes it. */
    static String labelOfEnvironment(String environment) {
        return "{\"labels\":[" + label(environment) + "]}";
    }

    private static String label(String environment) {
        return "{\"kind\":\"ENVIRONMENT\",\"name\":\"" + environment + "\"}";
    }

    boolean isLive(double daysAgo) {
        return daysAgo <= age;
    }

    /** What {@code user} gets: the same one each time, but for a flag that ramps up, where users move to the first. */
    Variation variationFor(int user, double daysAgo) {
        double place = new Random(user * 31L + id.hashCode()).nextDouble();
        double first = shareOfFirst(daysAgo);
        if (place < first) {
            return variations.get(0);
        }
        double ofOthers = (place - first) / (1 - first) * (1 - variations.get(0).share());
        for (Variation other : variations.subList(1, variations.size())) {
            ofOthers -= other.share();
            if (ofOthers < 0) {
                return other;
            }
        }
        return variations.get(variations.size() - 1);
    }

    private double shareOfFirst(double daysAgo) {
        double full = variations.get(0).share();
        if (rampDays == 0) {
            return full;
        }
        double done = Math.min(1, (age - daysAgo) / rampDays);
        return RAMP_START + (full - RAMP_START) * done * done;
    }
}
