/**
 * Measurements. Run by hand: {@code ./mvnw -q -Pbench test-compile exec:exec -Dbench=…}; the results, with machine and
 * date, stand in {@code docs/explanation/performance.md}.
 */
package io.flagtally.benchmark;
