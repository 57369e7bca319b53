package io.flagtally.platform;

import io.flagtally.platform.embedded.EmbeddedStartException;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Properties;

/** A PostgreSQL that is configured, before the application starts: waited for while it comes up, and judged in a sentence. */
final class ConfiguredPostgres {

    /** How long it may take to come up. */
    static final Duration PATIENCE = Duration.ofSeconds(150);

    private static final Duration POLL = Duration.ofSeconds(1);
    private static final String CONNECT_SECONDS = "5";

    private ConfiguredPostgres() {}

    /**
     * Returns when it lets us in.
     *
     * @param url such as {@code postgresql://postgres.example.com:5432/flagtally}
     * @throws EmbeddedStartException with one sentence, if it does not within {@code patience}, or never will
     */
    static void requireAnswer(String url, String username, String password, Duration patience) {
        Properties login = new Properties();
        login.setProperty("user", username);
        login.setProperty("password", password);
        login.setProperty("connectTimeout", CONNECT_SECONDS);
        login.setProperty("loginTimeout", CONNECT_SECONDS);
        long deadline = System.nanoTime() + patience.toNanos();
        boolean waited = false;
        while (true) {
            try (Connection connection = DriverManager.getConnection("jdbc:" + url, login)) {
                return;
            } catch (SQLException e) {
                if (refusesForGood(e)) {
                    throw new EmbeddedStartException(
                            "PostgreSQL at " + url + " does not let the service in (" + oneLine(e) + "); correct "
                                    + StartConfig.POSTGRES_URL
                                    + ", flagtally.postgres.username or flagtally.postgres.password.",
                            e);
                }
                if (System.nanoTime() - deadline >= 0) {
                    throw new EmbeddedStartException(
                            "PostgreSQL at " + url + " did not answer within " + patience.toSeconds() + " s ("
                                    + oneLine(e) + "); start it, or correct " + StartConfig.POSTGRES_URL + ".",
                            e);
                }
                if (!waited) {
                    // The log is not there before the application starts.
                    System.err.println("PostgreSQL at " + url + " does not answer yet; waiting for it.");
                    waited = true;
                }
            }
            pause();
        }
    }

    /** Wrong credentials, or no such database. */
    private static boolean refusesForGood(SQLException e) {
        String state = e.getSQLState() == null ? "" : e.getSQLState();
        return state.startsWith("28") || state.startsWith("3D");
    }

    private static String oneLine(SQLException e) {
        return String.valueOf(e.getMessage()).strip().replaceAll("\\s+", " ");
    }

    private static void pause() {
        try {
            Thread.sleep(POLL.toMillis());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw EmbeddedStartException.cutShort(e);
        }
    }
}
