/**
 * Numbers out.
 *
 * <p><b>Owns</b> the faces of numbers and of the names beside them, and the ports
 * {@link io.flagtally.series.SeriesReader}, {@link io.flagtally.series.ActiveUsersReader} and
 * {@link io.flagtally.series.LabelStore}.
 *
 * <p><b>Does not own</b> how numbers and names are stored.
 *
 * <p><b>Invariants</b>: reads never write and take one or two round trips; numbers do not wait for a store of names that is
 * away.
 */
@NullMarked
@OfRole(ProcessRole.SERVE)
package io.flagtally.series;

import io.flagtally.platform.config.OfRole;
import io.flagtally.platform.config.ProcessRole;
import org.jspecify.annotations.NullMarked;
