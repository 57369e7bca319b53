/** The console in a real browser, against the packaged service. */
@NullMarked
package io.flagtally.console;

import org.jspecify.annotations.NullMarked;
