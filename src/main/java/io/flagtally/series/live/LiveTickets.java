package io.flagtally.series.live;

import io.flagtally.platform.error.ErrorCode;
import io.flagtally.platform.error.RefusedException;
import io.flagtally.platform.error.UnavailableException;
import io.flagtally.platform.security.ApiKeys;
import io.flagtally.platform.security.Caller;
import io.flagtally.platform.security.InstallationSecret;
import io.flagtally.platform.security.Role;
import io.quarkus.runtime.StartupEvent;
import jakarta.enterprise.event.Observes;
import jakarta.inject.Inject;
import jakarta.inject.Singleton;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Base64;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;
import org.jspecify.annotations.Nullable;

/**
 * Makes and knows tickets: who made one, for which environment, as what, until when, and a seal over it (HMAC-SHA256) by
 * a secret that every instance shares. Nothing is kept; a ticket opens streams as often as it is shown, until it ends,
 * and as long as the key that it was made with may read.
 *
 * <p>A ticket is {@code <base64url of the lines>.<base64url of the seal>}; its lines are {@code 1}, the second of its
 * end, the role, the name of the key, the environment.
 */
@Singleton
class LiveTickets {

    /** A ticket that was just made. */
    record Ticket(String text, Instant expiresAt) {}

    /** What a ticket lets in for. */
    record Admission(String keyName, String environment) {}

    private static final String VERSION = "1";
    private static final int FIELDS = 5;
    private static final int CHARS_MAX = 2_000;
    private static final Duration RETRY_FIRST = Duration.ofMillis(500);
    private static final Duration RETRY_MAX = Duration.ofSeconds(30);

    private final InstallationSecret installation;
    private final ApiKeys keys;
    private final InstantSource clock;
    private final Duration lifetime;
    private volatile byte @Nullable [] secret;

    @Inject
    LiveTickets(InstallationSecret installation, ApiKeys keys, InstantSource clock, LiveConfig config) {
        this.installation = installation;
        this.keys = keys;
        this.clock = clock;
        this.lifetime = config.ticketLifetime();
    }

    void start(@Observes StartupEvent started) {
        var unused = installation
                .bytes()
                .onFailure()
                .retry()
                .withBackOff(RETRY_FIRST, RETRY_MAX)
                .indefinitely()
                .subscribe()
                .with(bytes -> secret = bytes.clone());
    }

    /** @throws UnavailableException if the secret is not known yet */
    Ticket make(Caller caller, String environment) {
        Instant end = clock.instant().plus(lifetime);
        Role role = caller.roles().contains(Role.READ_ONLY) ? Role.READ_ONLY : Role.ADMIN;
        String lines = String.join(
                "\n", VERSION, Long.toString(end.getEpochSecond()), role.name(), caller.keyName(), environment);
        byte[] bytes = lines.getBytes(StandardCharsets.UTF_8);
        return new Ticket(text(bytes) + '.' + text(seal(bytes)), Instant.ofEpochSecond(end.getEpochSecond()));
    }

    /**
     * Returns what {@code ticket} lets in for.
     *
     * @throws RefusedException if it is none of this installation's, has ended, or its key may no longer read
     */
    Admission open(String ticket) {
        int dot = ticket.indexOf('.');
        if (dot < 0 || ticket.length() > CHARS_MAX) {
            throw notOurs();
        }
        byte[] bytes = bytes(ticket.substring(0, dot));
        if (!MessageDigest.isEqual(seal(bytes), bytes(ticket.substring(dot + 1)))) {
            throw notOurs();
        }
        // The environment comes last and may hold anything but control characters, a key's name anything but a newline.
        String[] fields = new String(bytes, StandardCharsets.UTF_8).split("\n", FIELDS);
        if (fields.length != FIELDS || !fields[0].equals(VERSION)) {
            throw notOurs();
        }
        if (clock.instant().getEpochSecond() >= Long.parseLong(fields[1])) {
            throw new RefusedException(
                    ErrorCode.UNAUTHENTICATED, "The ticket has ended; get a new one from POST /v1/live/tickets.");
        }
        Admission admission = new Admission(fields[3], fields[4]);
        if (!keys.allows(admission.keyName, admission.environment, Role.valueOf(fields[2]))) {
            throw new RefusedException(
                    ErrorCode.PERMISSION_DENIED, "The API key that the ticket was made with may no longer read.");
        }
        return admission;
    }

    private byte[] seal(byte[] bytes) {
        byte[] key = secret;
        if (key == null) {
            throw new UnavailableException(
                    "Tickets cannot be made or checked until PostgreSQL has told their secret; try again.", null);
        }
        try {
            Mac mac = Mac.getInstance("HmacSHA256");
            mac.init(new SecretKeySpec(key, "HmacSHA256"));
            mac.update("flagtally live ticket\n".getBytes(StandardCharsets.UTF_8));
            return mac.doFinal(bytes);
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException(e);
        }
    }

    private static String text(byte[] bytes) {
        return Base64.getUrlEncoder().withoutPadding().encodeToString(bytes);
    }

    private static byte[] bytes(String text) {
        try {
            return Base64.getUrlDecoder().decode(text);
        } catch (IllegalArgumentException e) {
            throw notOurs();
        }
    }

    private static RefusedException notOurs() {
        return new RefusedException(
                ErrorCode.PERMISSION_DENIED,
                "The ticket is none of this installation's; get one from POST /v1/live/tickets.");
    }
}
