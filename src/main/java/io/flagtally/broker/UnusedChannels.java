package io.flagtally.broker;

import io.smallrye.config.ConfigSourceInterceptor;
import io.smallrye.config.ConfigSourceInterceptorContext;
import io.smallrye.config.ConfigValue;
import java.util.HashSet;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Gives {@link IdleConnector} to the channels that this process does not use, whatever connector the profile names: those
 * of a role it does not have, and those of a place that is not configured.
 */
public final class UnusedChannels implements ConfigSourceInterceptor {

    private static final long serialVersionUID = 1L;

    private static final String ROLES = "flagtally.roles";
    private static final String MIRROR = "flagtally.mirror.publish-to";
    private static final String DEAD_LETTER_TO = "flagtally.broker.dead-letter-to";
    private static final String INGEST = "ingest";
    private static final String CONSUME = "consume";

    /** The role that each channel is for. */
    private static final Map<String, String> ROLE = Map.of(
            "mp.messaging.incoming.events.connector", CONSUME,
            "mp.messaging.outgoing.events-out.connector", INGEST,
            "mp.messaging.outgoing.dead-letters-out.connector", CONSUME,
            "mp.messaging.outgoing.mirror-out.connector", INGEST);

    /** The key that must be set for a channel to be used. */
    private static final Map<String, String> PLACE = Map.of(
            "mp.messaging.outgoing.dead-letters-out.connector", DEAD_LETTER_TO,
            "mp.messaging.outgoing.mirror-out.connector", MIRROR);

    @Override
    public @Nullable ConfigValue getValue(ConfigSourceInterceptorContext context, String name) {
        ConfigValue value = context.proceed(name);
        String role = ROLE.get(name);
        if (role == null || value == null) {
            return value;
        }
        boolean used = has(context, role) && (!PLACE.containsKey(name) || isSet(context, PLACE.get(name)));
        return used ? value : value.withValue(IdleConnector.NAME);
    }

    private static boolean isSet(ConfigSourceInterceptorContext context, String key) {
        ConfigValue value = context.proceed(key);
        return value != null && value.getValue() != null && !value.getValue().isBlank();
    }

    private static boolean has(ConfigSourceInterceptorContext context, String role) {
        Set<String> roles = new HashSet<>();
        add(context.proceed(ROLES), roles);
        for (int i = 0; add(context.proceed(ROLES + "[" + i + "]"), roles); i++) {}
        return roles.isEmpty() || roles.contains(role);
    }

    private static boolean add(@Nullable ConfigValue value, Set<String> roles) {
        if (value == null || value.getValue() == null) {
            return false;
        }
        for (String role : value.getValue().split(",", -1)) {
            roles.add(role.strip().toLowerCase(Locale.ROOT));
        }
        return true;
    }
}
