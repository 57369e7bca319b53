package io.flagtally.retail;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;

/** Compares estimates of users with their true numbers, and judges them by what is promised. */
final class UniquesCheck {

    private static final double STANDARD_ERROR = 1.04 / Math.sqrt(16_384);
    private static final int SMALL = 100;
    private static final int SMALL_ERROR_MAX = 3;

    private final List<String> faults = new ArrayList<>();
    private int small;
    private int someUsers;
    private int someUsersExact;
    private int large;
    private int largeWithinThree;

    void add(String cell, long estimate, long truth) {
        long error = Math.abs(estimate - truth);
        if (truth <= SMALL) {
            small++;
            if (error > SMALL_ERROR_MAX) {
                faults.add(cell + ": " + estimate + " instead of " + truth);
            }
            if (truth >= 10) {
                someUsers++;
                someUsersExact += error == 0 ? 1 : 0;
            }
        } else {
            large++;
            double errors = error / (STANDARD_ERROR * truth);
            largeWithinThree += errors <= 3 ? 1 : 0;
            if (errors > 5) {
                faults.add(cell + ": " + estimate + " instead of " + truth + ", " + errors + " standard errors");
            }
        }
    }

    void judge() {
        assertTrue(faults.isEmpty(), () -> "too far off: " + faults);
        assertTrue(
                someUsersExact >= 0.95 * someUsers,
                () -> "of " + someUsers + " cells with 10 to 100 users only " + someUsersExact + " are exact");
        assertTrue(
                largeWithinThree >= 0.99 * large,
                () -> "of " + large + " larger cells only " + largeWithinThree + " are within 3 standard errors");
    }

    @Override
    public String toString() {
        return small + " cells with up to 100 users; of " + someUsers + " with 10 or more " + someUsersExact
                + " exact; of " + large + " larger ones " + largeWithinThree + " within 3 standard errors";
    }
}
