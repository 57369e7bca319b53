package io.flagtally.retail;

import static org.awaitility.Awaitility.await;

import io.flagtally.platform.embedded.LoopbackPort;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** A Redis Cluster of three masters, whose slots can be moved while it works. */
final class InstalledCluster implements AutoCloseable {

    private static final Duration PATIENCE = Duration.ofSeconds(30);
    private static final int MASTERS = 3;
    /** Keys moved at once; few, so that a slot lies in two masters for a while. */
    private static final int KEYS_A_STEP = 3;

    private final List<InstalledRedis> masters = new ArrayList<>();

    static InstalledCluster start() {
        return new InstalledCluster();
    }

    private InstalledCluster() {
        for (int i = 0; i < MASTERS; i++) {
            masters.add(InstalledRedis.server(
                    "cluster-enabled yes",
                    "cluster-config-file nodes.conf",
                    "cluster-port " + LoopbackPort.free(),
                    "cluster-node-timeout 5000"));
        }
        List<String> create = new ArrayList<>(List.of("--cluster", "create"));
        masters.forEach(master -> create.add("127.0.0.1:" + master.port()));
        create.add("--cluster-yes");
        String said = InstalledRedis.cli(create.toArray(String[]::new));
        await(said)
                .atMost(PATIENCE)
                .until(() -> masters.stream()
                        .allMatch(master -> master.run("CLUSTER", "INFO").contains("cluster_state:ok")));
    }

    /** The addresses of all masters, as configured. */
    String urls() {
        return masters.stream().map(InstalledRedis::url).collect(Collectors.joining(","));
    }

    int slotOf(String key) {
        return Integer.parseInt(masters.get(0).run("CLUSTER", "KEYSLOT", key));
    }

    /** Moves a slot to the next master, a few keys at a time; returns how many keys there were. */
    int move(int slot) {
        InstalledRedis from = ownerOf(slot);
        InstalledRedis to = masters.get((masters.indexOf(from) + 1) % MASTERS);
        String number = String.valueOf(slot);
        to.run("CLUSTER", "SETSLOT", number, "IMPORTING", id(from));
        from.run("CLUSTER", "SETSLOT", number, "MIGRATING", id(to));
        int moved = 0;
        List<String> keys = keys(from, number);
        while (!keys.isEmpty()) {
            moved += keys.size();
            Stream<String> head = Stream.of("MIGRATE", "127.0.0.1", String.valueOf(to.port()), "", "0", "5000", "KEYS");
            String answer = from.run(Stream.concat(head, keys.stream()).toArray(String[]::new));
            if (!answer.equals("OK") && !answer.equals("NOKEY")) {
                throw new IllegalStateException("MIGRATE of slot " + slot + ": " + answer);
            }
            keys = keys(from, number);
        }
        Stream.concat(Stream.of(to, from), masters.stream())
                .distinct()
                .forEach(master -> master.run("CLUSTER", "SETSLOT", number, "NODE", id(to)));
        return moved;
    }

    @Override
    public void close() {
        masters.forEach(InstalledRedis::close);
    }

    private InstalledRedis ownerOf(int slot) {
        return masters.stream().filter(master -> owns(master, slot)).findFirst().orElseThrow();
    }

    /** The ranges of a node stand at the end of its line: {@code 0-5460 5462 [93->-…]}. */
    private static boolean owns(InstalledRedis master, int slot) {
        String line = master.run("CLUSTER", "NODES")
                .lines()
                .filter(node -> node.contains("myself"))
                .findFirst()
                .orElseThrow();
        return Stream.of(line.split(" "))
                .skip(8)
                .filter(range -> range.matches("[0-9]+(-[0-9]+)?"))
                .map(range -> range.split("-"))
                .anyMatch(ends -> Integer.parseInt(ends[0]) <= slot && slot <= Integer.parseInt(ends[ends.length - 1]));
    }

    private static String id(InstalledRedis master) {
        return master.run("CLUSTER", "MYID");
    }

    private static List<String> keys(InstalledRedis master, String slot) {
        return master.run("CLUSTER", "GETKEYSINSLOT", slot, String.valueOf(KEYS_A_STEP))
                .lines()
                .filter(key -> !key.isEmpty())
                .toList();
    }
}
