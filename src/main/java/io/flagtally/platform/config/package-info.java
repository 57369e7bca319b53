/**
 * Configuration shared by several features.
 *
 * <p><b>Owns</b> the configuration file of the operator, and how it is read again.
 *
 * <p><b>Does not own</b> the keys of one feature, which that feature maps itself.
 *
 * <p><b>Invariants</b>: every key begins with {@code flagtally.}
 */
@NullMarked
package io.flagtally.platform.config;

import org.jspecify.annotations.NullMarked;
