/**
 * What tests stand on.
 *
 * <p><b>Owns</b> real servers for tests, with their data below {@code target/}.
 *
 * <p><b>Does not own</b> any test.
 *
 * <p><b>Invariants</b>: nothing here outlives the JVM of the tests.
 */
@NullMarked
package io.flagtally.testing;

import org.jspecify.annotations.NullMarked;
