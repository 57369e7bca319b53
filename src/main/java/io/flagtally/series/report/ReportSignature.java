package io.flagtally.series.report;

import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.util.HexFormat;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/**
 * Signs a request: HMAC-SHA256 over the time it was sent at, a full stop and the body, so that neither can be changed, nor
 * an old request be sent again for long.
 */
final class ReportSignature {

    private static final String ALGORITHM = "HmacSHA256";

    private ReportSignature() {}

    /** Returns the value of the header, such as {@code v1=9f86d0…}. */
    static String of(String secret, long unixSeconds, byte[] body) {
        try {
            Mac mac = Mac.getInstance(ALGORITHM);
            mac.init(new SecretKeySpec(secret.getBytes(StandardCharsets.UTF_8), ALGORITHM));
            mac.update((unixSeconds + ".").getBytes(StandardCharsets.UTF_8));
            return "v1=" + HexFormat.of().formatHex(mac.doFinal(body));
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("every Java has HMAC-SHA256", e);
        }
    }
}
