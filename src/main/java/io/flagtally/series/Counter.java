package io.flagtally.series;

import io.flagtally.event.EnvironmentId;
import io.smallrye.mutiny.Uni;
import java.time.Instant;
import java.time.LocalDate;
import java.util.List;
import java.util.Map;

/** A running counter as far as it is compared: this one, or another over HTTP. */
interface Counter {

    /**
     * Some of its flags.
     *
     * @param zone the IANA zone of its days
     * @param next what to ask with for the flags behind them; empty if there are none
     */
    record Flags(String zone, List<String> ids, int matching, String next) {}

    /** What it counted of a flag: the days, and by variation the events of each of them. */
    record Days(List<Instant> starts, Map<String, List<Long>> events) {}

    Uni<Flags> flags(EnvironmentId environment, String after);

    Uni<Days> days(EnvironmentId environment, String flag, LocalDate from, LocalDate to);
}
