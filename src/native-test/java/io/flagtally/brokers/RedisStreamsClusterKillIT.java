package io.flagtally.brokers;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.flagtally.retail.InstalledCluster;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Streams and counts in a Redis Cluster of three masters, whose slots move and whose masters die. */
class RedisStreamsClusterKillIT extends BrokerKillContract {

    private static final List<String> STREAMS = RedisStreamsForTests.streams(BrokerForTests.EVENTS);
    private static final int MASTERS = 3;

    private final InstalledCluster cluster = InstalledCluster.start("appendonly yes");

    @Override
    protected BrokerForTests newBroker() {
        return RedisStreamsForTests.on(cluster);
    }

    @Test
    void move_slotsOfAllStreams_countsEachEventOnce() throws Exception {
        assertEquals(MASTERS, cluster.mastersOf(STREAMS), "streams spread over the masters");

        sendWith(time -> STREAMS.forEach(
                stream -> assertTrue(cluster.move(cluster.slotOf(stream)) > 0, () -> stream + " was not moved")));
    }

    @Test
    void crash_aMasterOfAStream_countsEachEventOnce() throws Exception {
        sendWith(time -> cluster.crash(STREAMS.get(time % STREAMS.size())));
    }
}
