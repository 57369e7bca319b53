package io.flagtally.broker;

import java.util.List;

/**
 * Where a broker listens.
 *
 * @param port between 1 and 65535
 */
public record BrokerAddress(String host, int port) {

    private static final int PORT_MAX = 65_535;

    /**
     * Reads {@code host} and {@code host:port}; an IPv6 address stands in brackets.
     *
     * @param key the configuration key that {@code texts} come from
     * @throws BrokerStartException if one of them is neither
     */
    public static List<BrokerAddress> all(List<String> texts, int portDefault, String key) {
        return texts.stream().map(text -> of(text.strip(), portDefault, key)).toList();
    }

    private static BrokerAddress of(String text, int portDefault, String key) {
        int colon = text.lastIndexOf(':');
        boolean portless = colon < 0 || text.endsWith("]");
        String host = portless ? text : text.substring(0, colon);
        int port = portless ? portDefault : port(text.substring(colon + 1));
        if (host.isEmpty() || host.contains("/") || port < 1 || port > PORT_MAX) {
            throw new BrokerStartException(
                    key + " has " + text + ", which is no host:port; set it to one, or several.");
        }
        return new BrokerAddress(host, port);
    }

    private static int port(String text) {
        try {
            return Integer.parseInt(text);
        } catch (NumberFormatException e) {
            return 0;
        }
    }

    @Override
    public String toString() {
        return host + ":" + port;
    }
}
