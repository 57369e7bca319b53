package io.flagtally.broker.gcp;

import io.flagtally.broker.BrokerStartException;

/** Full names of topics and subscriptions, from what an operator wrote. */
final class GcpNames {

    private final GcpConfig config;

    GcpNames(GcpConfig config) {
        this.config = config;
    }

    /** {@code projects/p/topics/t}, from that or from {@code t}. */
    String topic(String text) {
        return full("topics", text);
    }

    /** {@code projects/p/subscriptions/s}, from that or from {@code s}. */
    String subscription(String text) {
        return full("subscriptions", text);
    }

    private String full(String kind, String text) {
        if (text.startsWith("projects/")) {
            return text;
        }
        String project = config.project()
                .orElseThrow(() -> new BrokerStartException("The profile gcp needs the project of " + text
                        + "; set flagtally.broker.gcp.project, or write projects/…/" + kind + "/" + text + "."));
        return "projects/" + project + "/" + kind + "/" + text;
    }
}
