package io.flagtally.retail;

import static org.awaitility.Awaitility.await;

import io.flagtally.platform.embedded.LoopbackPort;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** A Redis Cluster of three masters, whose slots can be moved while it works. */
public final class InstalledCluster implements AutoCloseable {

    private static final Duration PATIENCE = Duration.ofSeconds(30);
    private static final int MASTERS = 3;
    /** Keys moved at once; few, so that a slot lies in two masters for a while. */
    private static final int KEYS_A_STEP = 3;

    private static final int KEYS_MAX = 10_000;

    private final List<InstalledRedis> masters = new ArrayList<>();

    /** Starts an empty one; {@code settings} are lines of each master's {@code redis.conf}. */
    public static InstalledCluster start(String... settings) {
        return new InstalledCluster(settings);
    }

    private InstalledCluster(String... settings) {
        for (int i = 0; i < MASTERS; i++) {
            List<String> all = new ArrayList<>(List.of(
                    "cluster-enabled yes",
                    "cluster-config-file nodes.conf",
                    "cluster-port " + LoopbackPort.free(),
                    "cluster-node-timeout 5000"));
            all.addAll(List.of(settings));
            masters.add(InstalledRedis.server(all.toArray(String[]::new)));
        }
        List<String> create = new ArrayList<>(List.of("--cluster", "create"));
        masters.forEach(master -> create.add("127.0.0.1:" + master.port()));
        create.add("--cluster-yes");
        awaitWell(InstalledRedis.cli(create.toArray(String[]::new)));
    }

    private void awaitWell(String what) {
        await(what)
                .atMost(PATIENCE)
                .until(() -> masters.stream()
                        .allMatch(master -> master.run("CLUSTER", "INFO").contains("cluster_state:ok")));
    }

    /** The addresses of all masters, as configured. */
    public String urls() {
        return masters.stream().map(InstalledRedis::url).collect(Collectors.joining(","));
    }

    /** How many masters hold slots of these keys. */
    public long mastersOf(List<String> keys) {
        return keys.stream().map(key -> ownerOf(slotOf(key))).distinct().count();
    }

    /** Ends the master of a key as a crash does, and starts it again with what it had on disk. */
    public void crash(String key) {
        InstalledRedis master = ownerOf(slotOf(key));
        master.kill();
        master.start();
    }

    /** Ends all masters as a crash does. */
    public void kill() {
        masters.forEach(InstalledRedis::kill);
    }

    /** Starts all masters after {@link #kill}; returns when the cluster takes commands. */
    public void restart() {
        masters.forEach(InstalledRedis::start);
        awaitWell("the cluster after a restart");
    }

    public int slotOf(String key) {
        return Integer.parseInt(masters.get(0).run("CLUSTER", "KEYSLOT", key));
    }

    /** Moves a slot to the next master, a few keys at a time; returns how many keys there were. */
    public int move(int slot) {
        Migration migration = begin(slot);
        int moved = migration.moveKeys(key -> true);
        migration.finish();
        return moved;
    }

    /** Begins to move a slot to the next master. */
    Migration begin(int slot) {
        InstalledRedis from = ownerOf(slot);
        Migration migration = new Migration(slot, from, masters.get((masters.indexOf(from) + 1) % MASTERS));
        migration.begin();
        return migration;
    }

    /** A slot on its way: its keys lie partly in one master and partly in another. */
    final class Migration {
        private final String slot;
        private final InstalledRedis from;
        private final InstalledRedis to;

        private Migration(int slot, InstalledRedis from, InstalledRedis to) {
            this.slot = String.valueOf(slot);
            this.from = from;
            this.to = to;
        }

        private void begin() {
            to.run("CLUSTER", "SETSLOT", slot, "IMPORTING", id(from));
            from.run("CLUSTER", "SETSLOT", slot, "MIGRATING", id(to));
        }

        /** Moves the keys that are wanted; returns how many there were. */
        int moveKeys(Predicate<String> wanted) {
            int moved = 0;
            List<String> keys = keys(wanted);
            while (!keys.isEmpty()) {
                moved += keys.size();
                Stream<String> head =
                        Stream.of("MIGRATE", "127.0.0.1", String.valueOf(to.port()), "", "0", "5000", "KEYS");
                String answer = from.run(Stream.concat(head, keys.stream()).toArray(String[]::new));
                if (!answer.equals("OK") && !answer.equals("NOKEY")) {
                    throw new IllegalStateException("MIGRATE of slot " + slot + ": " + answer);
                }
                keys = keys(wanted);
            }
            return moved;
        }

        /** Makes the next master the slot's owner. */
        void finish() {
            Stream.concat(Stream.of(to, from), masters.stream())
                    .distinct()
                    .forEach(master -> master.run("CLUSTER", "SETSLOT", slot, "NODE", id(to)));
        }

        private List<String> keys(Predicate<String> wanted) {
            return from.run("CLUSTER", "GETKEYSINSLOT", slot, String.valueOf(KEYS_MAX))
                    .lines()
                    .filter(key -> !key.isEmpty())
                    .filter(wanted)
                    .limit(KEYS_A_STEP)
                    .toList();
        }
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
}
