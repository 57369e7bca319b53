package io.flagtally.proof;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;

class LedgerTest {

    private final Ledger ledger = new Ledger();

    @Test
    void add_oneLostInAVariationAndOneDoubledInAnother_tellsBoth() {
        ledger.add("flag", 12, 10, 9);
        ledger.add("flag", 12, 10, 11);

        assertEquals(1, ledger.lost());
        assertEquals(1, ledger.doubled());
    }

    @Test
    void add_eachCountedOnce_tellsNeither() {
        ledger.add("a", 12, 10, 10);
        ledger.add("b", 3, 3, 3);

        assertEquals(0, ledger.lost());
        assertEquals(0, ledger.doubled());
    }

    @Test
    void print_severalFlags_givesALineForEachAndTheSum() {
        ledger.add("a", 1_200, 1_000, 999);
        ledger.add("b", 3, 3, 3);
        ByteArrayOutputStream out = new ByteArrayOutputStream();

        ledger.print(new PrintStream(out, true, StandardCharsets.UTF_8));

        String text = out.toString(StandardCharsets.UTF_8).replaceAll(" +", " ");
        assertEquals(4, text.lines().count(), text);
        assertTrue(text.contains("all 1,203 1,003 1,002 1 0"), text);
    }
}
