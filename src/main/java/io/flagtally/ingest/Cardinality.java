package io.flagtally.ingest;

import io.flagtally.codec.MalformedEventException;
import io.flagtally.event.EnvironmentId;
import io.flagtally.event.EvaluationEvent;
import io.flagtally.event.FlagId;
import io.flagtally.event.VariationId;
import io.flagtally.platform.error.ErrorCode;
import jakarta.inject.Inject;
import jakarta.inject.Singleton;
import java.time.InstantSource;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Bounds how many flags an environment and how many variations a flag may have, so that ids made up at run time cannot
 * fill the stores. Knows what this process has seen; a flag not seen for 31 days gives its place back when the
 * environment is full. Safe for use by several threads.
 *
 * <p>A variation is remembered by a 64-bit hash. Where two of one flag collide (1 in 10^15 at 100 variations), one more
 * than the bound is taken.
 */
@Singleton
class Cardinality {

    private static final long FORGOTTEN_AFTER_DAYS = 31;
    private static final long SECONDS_A_DAY = 86_400;

    private final int flagsMax;
    private final int variationsMax;
    private final InstantSource clock;
    private final Map<EnvironmentId, Environment> environments = new ConcurrentHashMap<>();

    @Inject
    Cardinality(IngestConfig config, InstantSource clock) {
        this(config.cardinality().flagsMax(), config.cardinality().variationsMax(), clock);
    }

    Cardinality(int flagsMax, int variationsMax, InstantSource clock) {
        this.flagsMax = flagsMax;
        this.variationsMax = variationsMax;
        this.clock = clock;
    }

    /** @throws MalformedEventException if the event names a flag or a variation beyond the bound */
    void admit(EvaluationEvent event) throws MalformedEventException {
        long today = clock.instant().getEpochSecond() / SECONDS_A_DAY;
        Environment environment = environments.computeIfAbsent(event.environment(), e -> new Environment());
        String beyond = environment.admit(event.flag(), event.variation(), today);
        if (!beyond.isEmpty()) {
            throw new MalformedEventException(event.id().toString(), ErrorCode.CARDINALITY, "gateway: " + beyond);
        }
    }

    private final class Environment {
        private final Map<FlagId, Flag> flags = new HashMap<>();
        private long sweptOnDay = Long.MIN_VALUE;

        /** Returns what is exceeded, empty if nothing is. */
        synchronized String admit(FlagId id, VariationId variation, long today) {
            Flag flag = flags.get(id);
            if (flag == null) {
                if (!hasRoom(today)) {
                    return "feature_id exceeds the " + flagsMax + " flags of an environment";
                }
                flag = new Flag();
                flags.put(id, flag);
            }
            flag.seenOnDay = today;
            boolean admitted = variation.equals(VariationId.DEFAULT) || flag.admit(hash(variation.value()));
            return admitted ? "" : "variation_id exceeds the " + variationsMax + " variations of a flag";
        }

        private boolean hasRoom(long today) {
            if (flags.size() >= flagsMax && sweptOnDay != today) {
                sweptOnDay = today;
                flags.values().removeIf(flag -> flag.seenOnDay < today - FORGOTTEN_AFTER_DAYS);
            }
            return flags.size() < flagsMax;
        }
    }

    private final class Flag {
        private long[] variations = new long[Math.min(4, Math.max(1, variationsMax))];
        private int count;
        private long seenOnDay;

        boolean admit(long hash) {
            for (int i = 0; i < count; i++) {
                if (variations[i] == hash) {
                    return true;
                }
            }
            if (count >= variationsMax) {
                return false;
            }
            if (count == variations.length) {
                variations = Arrays.copyOf(variations, Math.min(count * 2, variationsMax));
            }
            variations[count++] = hash;
            return true;
        }
    }

    /** FNV-1a over the chars, with the finalizer of MurmurHash3. */
    private static long hash(String text) {
        long hash = 0xcbf29ce484222325L;
        for (int i = 0; i < text.length(); i++) {
            hash = (hash ^ text.charAt(i)) * 0x100000001b3L;
        }
        hash = (hash ^ hash >>> 33) * 0xff51afd7ed558ccdL;
        hash = (hash ^ hash >>> 33) * 0xc4ceb9fe1a85ec53L;
        return hash ^ hash >>> 33;
    }
}
