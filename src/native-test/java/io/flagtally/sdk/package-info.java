/**
 * The published SDKs against the packaged service.
 *
 * <p><b>Owns</b> the test that runs {@code src/native-test/js-sdk}.
 *
 * <p><b>Does not own</b> the wire contract's details, which plain requests test.
 *
 * <p><b>Invariants</b>: an SDK is the published one, unmodified.
 */
@NullMarked
package io.flagtally.sdk;

import org.jspecify.annotations.NullMarked;
