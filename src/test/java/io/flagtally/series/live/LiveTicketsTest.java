package io.flagtally.series.live;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.flagtally.platform.error.ErrorCode;
import io.flagtally.platform.error.RefusedException;
import io.flagtally.platform.error.UnavailableException;
import io.flagtally.platform.security.ApiKeys;
import io.flagtally.platform.security.Caller;
import io.flagtally.platform.security.InstallationSecret;
import io.flagtally.platform.security.SecurityConfig;
import io.flagtally.testing.TestConfigs;
import io.quarkus.runtime.StartupEvent;
import io.smallrye.mutiny.Uni;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.Base64;
import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;

class LiveTicketsTest {

    private static final byte[] SECRET = "a secret that every instance has".getBytes(StandardCharsets.US_ASCII);

    private Instant now = Instant.parse("2026-11-21T06:00:00Z");
    private final Caller reader = keys("READ_ONLY", "shop").require("k-reader");
    private final LiveTickets tickets = tickets(SECRET, keys("READ_ONLY", "shop").keys);

    @Test
    void open_atAnotherInstance_isLetIn() {
        String ticket = tickets.make(reader, "shop").text();

        LiveTickets.Admission admission =
                tickets(SECRET, keys("READ_ONLY", "shop").keys).open(ticket);

        assertEquals(new LiveTickets.Admission("reader", "shop"), admission);
    }

    @Test
    void open_afterItsEnd_isRefused() {
        LiveTickets.Ticket ticket = tickets.make(reader, "shop");
        assertEquals(now.plusSeconds(60), ticket.expiresAt());

        now = now.plusSeconds(59);
        LiveTickets.Admission unused = tickets.open(ticket.text());
        now = now.plusSeconds(1);

        assertRefused(ErrorCode.UNAUTHENTICATED, ticket.text());
    }

    @Test
    void open_anyCharacterChanged_isRefused() {
        String ticket = tickets.make(reader, "shop").text();
        int dot = ticket.indexOf('.');

        for (int i = 0; i < ticket.length(); i++) {
            // The last character of a base64url text may carry bits that say nothing.
            if (i != dot && i != dot - 1 && i != ticket.length() - 1) {
                char other = ticket.charAt(i) == 'A' ? 'B' : 'A';
                assertRefused(ErrorCode.PERMISSION_DENIED, ticket.substring(0, i) + other + ticket.substring(i + 1));
            }
        }
    }

    @Test
    void open_claimsOfAnotherEnvironmentUnderTheSameSeal_areRefused() {
        String ticket = tickets.make(reader, "shop").text();
        int dot = ticket.indexOf('.');
        String lines = new String(Base64.getUrlDecoder().decode(ticket.substring(0, dot)), StandardCharsets.UTF_8);
        String forged = Base64.getUrlEncoder()
                .withoutPadding()
                .encodeToString(lines.replace("shop", "bank").getBytes(StandardCharsets.UTF_8));

        assertRefused(ErrorCode.PERMISSION_DENIED, forged + ticket.substring(dot));
    }

    @Test
    void open_notATicket_isRefused() {
        for (String text : new String[] {"", ".", "a.b", "?.?", "AAAA.AAAA", "x".repeat(5_000) + "."}) {
            assertRefused(ErrorCode.PERMISSION_DENIED, text);
        }
    }

    @Test
    void open_ofAnotherInstallation_isRefused() {
        String ticket = tickets("another secret".getBytes(StandardCharsets.US_ASCII), keys("READ_ONLY", "shop").keys)
                .make(reader, "shop")
                .text();

        assertRefused(ErrorCode.PERMISSION_DENIED, ticket);
    }

    @Test
    void open_keyThatMayNoLongerRead_isRefused() {
        String ticket = tickets.make(reader, "shop").text();

        for (ApiKeys changed : new ApiKeys[] {
            keys("SDK_CLIENT", "shop").keys, keys("READ_ONLY", "bank").keys, keys("ADMIN", "shop").keys
        }) {
            RefusedException refused = assertThrows(
                    RefusedException.class, () -> tickets(SECRET, changed).open(ticket));
            assertEquals(ErrorCode.PERMISSION_DENIED, refused.code());
        }
    }

    @Test
    void make_beforeTheSecretIsKnown_isUnavailable() {
        LiveTickets early =
                new LiveTickets(() -> Uni.createFrom().nothing(), keys("READ_ONLY", "shop").keys, () -> now, config());
        early.start(new StartupEvent());

        assertThrows(UnavailableException.class, () -> early.make(reader, "shop"));
    }

    private void assertRefused(ErrorCode code, String ticket) {
        RefusedException refused = assertThrows(RefusedException.class, () -> tickets.open(ticket), ticket);
        assertEquals(code, refused.code(), ticket);
    }

    private LiveTickets tickets(byte[] secret, ApiKeys keys) {
        InstallationSecret installation = () -> Uni.createFrom().item(secret);
        LiveTickets made = new LiveTickets(installation, keys, () -> now, config());
        made.start(new StartupEvent());
        return made;
    }

    private static LiveConfig config() {
        return TestConfigs.of(LiveConfig.class, Map.of());
    }

    private record Keys(ApiKeys keys) {
        Caller require(String key) {
            return keys.require(key, io.flagtally.platform.security.Role.READ_ONLY);
        }
    }

    private static Keys keys(String roles, String environment) {
        Map<String, String> config = new HashMap<>();
        config.put("flagtally.security.api-keys.reader.key", "k-reader");
        config.put("flagtally.security.api-keys.reader.roles", roles);
        config.put("flagtally.security.api-keys.reader.environment", environment);
        return new Keys(new ApiKeys(TestConfigs.of(SecurityConfig.class, config)));
    }
}
