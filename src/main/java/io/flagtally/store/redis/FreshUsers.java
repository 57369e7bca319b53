package io.flagtally.store.redis;

import io.flagtally.rollup.CountKey;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * The users of a cell that must be sent, since nobody knows whether the store has them.
 *
 * @param ids in UTF-8
 * @param marks what {@link RecentUsers} takes once they are added, in the order of the ids
 */
record FreshUsers(List<byte[]> ids, long[] marks) {

    static FreshUsers of(CountCell cell, IdHash hash, RecentUsers recent) {
        long counter = mark(hash, cell.key());
        List<byte[]> ids = new ArrayList<>(cell.users().size());
        long[] marks = new long[cell.users().size()];
        for (String user : cell.users()) {
            byte[] id = user.getBytes(StandardCharsets.UTF_8);
            long mark = hash.of(counter, id) | 1;
            if (!recent.knows(mark)) {
                marks[ids.size()] = mark;
                ids.add(id);
            }
        }
        return new FreshUsers(ids, Arrays.copyOf(marks, ids.size()));
    }

    private static long mark(IdHash hash, CountKey key) {
        long hour = key.hour().getEpochSecond();
        long environment = hash.of(hour, key.environment().value().getBytes(StandardCharsets.UTF_8));
        long flag = hash.of(environment, key.flag().value().getBytes(StandardCharsets.UTF_8));
        return hash.of(flag, key.variation().value().getBytes(StandardCharsets.UTF_8));
    }
}
