package io.flagtally.pipeline;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.flagtally.pipeline.LedgerResponse.HourEntry;
import io.flagtally.pipeline.LedgerResponse.Verdict;
import io.flagtally.pipeline.LedgerStore.Hour;
import io.flagtally.pipeline.LedgerStore.LedgerProcess;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class LedgerResponseTest {

    private static final Instant HOUR = Instant.parse("2026-11-21T06:00:00Z");
    private static final Instant NOW = HOUR.plus(Duration.ofMinutes(90));
    private static final Duration FLUSH = Duration.ofSeconds(5);

    private final Map<String, Long> events = new HashMap<>(Map.of(
            "accepted", 10L,
            "delivered", 10L,
            "malformed", 1L,
            "refused/EVENT_FIELD_EMPTY", 2L,
            "aside/MALFORMED", 1L,
            "aside/COUNTER_UNUSABLE", 1L,
            "offered/counts", 9L,
            "counted/counts", 5L,
            "duplicates/counts", 3L,
            "rejected/counts", 1L));

    @Test
    void hour_everyEventTold_addsUp() {
        HourEntry hour = hour(List.of());

        assertEquals(Verdict.ADDS_UP, hour.verdict());
        assertEquals(2, hour.setAside());
        assertEquals(2, hour.refused());
        assertEquals(0, hour.sinks().get(0).unexplained());
        assertEquals(0, hour.underWay());
    }

    @Test
    void hour_aSinkThatTellsTooLittle_doesNotAddUp() {
        events.merge("counted/counts", -1L, Long::sum);

        assertEquals(Verdict.DOES_NOT_ADD_UP, hour(List.of()).verdict());
        assertEquals(1, hour(List.of()).sinks().get(0).unexplained());
    }

    @Test
    void hour_moreAcceptedThanDelivered_isUnderWay() {
        events.put("accepted", 12L);

        assertEquals(Verdict.UNDER_WAY, hour(List.of()).verdict());
        assertEquals(2, hour(List.of()).underWay());
    }

    @Test
    void hour_moreDeliveredThanAccepted_isRepeated() {
        events.put("accepted", 7L);

        assertEquals(Verdict.REPEATED, hour(List.of()).verdict());
        assertEquals(3, hour(List.of()).repeated());
        assertEquals(0, hour(List.of()).underWay());
    }

    @Test
    void hour_stillRunning_isNotJudgedByWhatOneSideHasNotWrittenDown() {
        events.put("accepted", 7L);

        Instant soon = HOUR.plus(Duration.ofMinutes(60)).plusSeconds(20);
        LedgerResponse ledger = LedgerResponse.of(soon, FLUSH, HOUR, List.of(new Hour(HOUR, events)), List.of(), null);

        assertEquals(Verdict.UNDER_WAY, ledger.hours().get(0).verdict());
    }

    @Test
    void hours_acceptedBeforeTheFullHourAndDeliveredAfter_bothAddUp() {
        assertEquals(List.of(Verdict.ADDS_UP, Verdict.ADDS_UP), verdicts(hour(1, 90, 100), hour(0, 100, 90)));
        assertEquals(List.of(Verdict.ADDS_UP), verdicts(hour(1, 90, 100), hour(-1, 100, 90)), "also from before");
    }

    @Test
    void hours_aBacklogThatIsWorkedOff_settlesTheOldestFirst() {
        assertEquals(
                List.of(Verdict.UNDER_WAY, Verdict.ADDS_UP, Verdict.ADDS_UP),
                verdicts(hour(2, 50, 70), hour(1, 100, 80), hour(0, 100, 90)));
    }

    @Test
    void hours_anEarlierSurplus_doesNotHideALoss() {
        assertEquals(List.of(Verdict.UNDER_WAY, Verdict.REPEATED), verdicts(hour(1, 100, 90), hour(0, 100, 110)));
    }

    private static List<Verdict> verdicts(Hour... newestFirst) {
        Instant late = HOUR.plus(Duration.ofHours(5));
        return LedgerResponse.of(late, FLUSH, HOUR, List.of(newestFirst), List.of(), null).hours().stream()
                .map(HourEntry::verdict)
                .toList();
    }

    private static Hour hour(int after, long accepted, long delivered) {
        return new Hour(HOUR.plus(Duration.ofHours(after)), Map.of("accepted", accepted, "delivered", delivered));
    }

    @Test
    void hour_aProcessWithoutALastWord_isLostSightOf() {
        LedgerProcess killed = new LedgerProcess("a1b2c3d4", HOUR, HOUR.plus(Duration.ofMinutes(10)), false, "{}");
        LedgerProcess ended = new LedgerProcess("b1b2c3d4", HOUR, HOUR.plus(Duration.ofMinutes(10)), true, "{}");
        LedgerProcess running = new LedgerProcess("c1b2c3d4", HOUR, NOW.minusSeconds(3), false, "{}");

        assertEquals(Verdict.ADDS_UP, hour(List.of(ended, running)).verdict());
        HourEntry hour = hour(List.of(killed, ended, running));
        assertEquals(Verdict.LOST_SIGHT, hour.verdict());
        assertEquals("a1b2c3d4", hour.lostSight().get(0).instance());
        assertEquals(1, hour.lostSight().size());
    }

    private HourEntry hour(List<LedgerProcess> processes) {
        return LedgerResponse.of(NOW, FLUSH, HOUR, List.of(new Hour(HOUR, events)), processes, null)
                .hours()
                .get(0);
    }
}
