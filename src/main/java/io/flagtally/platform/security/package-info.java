/**
 * Who may call.
 *
 * <p><b>Owns</b> API keys, their roles, and the decision to let a call in.
 *
 * <p><b>Does not own</b> what a call does then.
 *
 * <p><b>Invariants</b>: authorization is judged before anything else; keys are compared by their SHA-256.
 */
@NullMarked
package io.flagtally.platform.security;

import org.jspecify.annotations.NullMarked;
