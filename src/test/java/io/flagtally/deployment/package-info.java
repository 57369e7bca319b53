/** Tests of the files that deploy the service. */
@NullMarked
package io.flagtally.deployment;

import org.jspecify.annotations.NullMarked;
