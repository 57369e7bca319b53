/** Tests of the embedded servers. */
@NullMarked
package io.flagtally.platform.embedded;

import org.jspecify.annotations.NullMarked;
