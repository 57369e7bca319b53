/**
 * Errors and their answers.
 *
 * <p><b>Owns</b> {@link io.flagtally.platform.error.ErrorCode}, problem answers, and the status answers of the wire contract.
 *
 * <p><b>Does not own</b> the decision that something is an error.
 *
 * <p><b>Invariants</b>: no answer carries a stack trace; a code, once published, stays.
 */
@NullMarked
package io.flagtally.platform.error;

import org.jspecify.annotations.NullMarked;
