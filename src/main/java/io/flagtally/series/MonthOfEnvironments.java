package io.flagtally.series;

import java.util.List;

/**
 * A month of all environments.
 *
 * @param activity over all SDKs, by environment
 * @param leftOut environments with events beyond those that were asked for
 */
public record MonthOfEnvironments(List<PeriodActivity> activity, long leftOut) {}
