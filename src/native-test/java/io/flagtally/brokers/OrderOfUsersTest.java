package io.flagtally.brokers;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The judge of order lets repeats pass and nothing else. */
class OrderOfUsersTest {

    /** Of two users: 0, 2, 4, 6 are the first one's, 1, 3, 5, 7 the second one's. */
    private static final List<String> SENT = List.of("0", "1", "2", "3", "4", "5", "6", "7");

    @ParameterizedTest
    @ValueSource(
            strings = {
                "0 1 2 3 4 5 6 7",
                "1 3 5 7 0 2 4 6",
                "0 0 2 2 4 6 1 3 5 7",
                "0 2 4 2 4 6 1 3 5 7",
                "0 2 4 6 1 3 5 7 0 2 4 6",
                "0 2 4 6 1 3 5 7 x"
            })
    void order_kept_passes(String came) {
        assertDoesNotThrow(() -> judge(came));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "0 4 2 6 1 3 5 7",
                "2 0 4 6 1 3 5 7",
                "0 2 4 6 1 5 3 7",
                "0 2 4 0 6 1 3 5 7",
                "0 2 4 0 4 6 1 3 5 7",
                "0 2 4 6 1 3 5",
                "0 4 6 1 3 5 7"
            })
    void order_broken_fails(String came) {
        assertThrows(AssertionError.class, () -> judge(came));
    }

    @Test
    void nothingCame_fails() {
        assertThrows(AssertionError.class, () -> judge("x"));
    }

    private static void judge(String came) {
        OrderOfUsers order = new OrderOfUsers(SENT, 2);
        List.of(came.split(" ", -1)).forEach(order::next);
        order.end();
    }
}
