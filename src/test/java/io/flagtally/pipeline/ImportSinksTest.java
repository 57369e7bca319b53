package io.flagtally.pipeline;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.flagtally.platform.error.ErrorCode;
import io.flagtally.platform.error.RefusedException;
import io.flagtally.rollup.EventBatch;
import io.flagtally.testing.TestConfigs;
import io.smallrye.mutiny.Uni;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class ImportSinksTest {

    private static final ImportConfig CONFIG = TestConfigs.of(ImportConfig.class, Map.of());

    @Test
    void of_bothSinks_rememberAsLongAsAnImportNeeds() {
        ImportSinks sinks = sinks("mau,counts");

        assertEquals(List.of("counts for PT745H"), names(sinks.recent()));
        assertEquals(List.of("mau for good"), names(sinks.longTerm()));
        assertDoesNotThrow(() -> sinks.requireOneOfAnyAge(CONFIG));
    }

    @Test
    void requireOneOfAnyAge_pipelineWithoutMau_isRefusedAndNamesTheKeys() {
        RefusedException refused =
                assertThrows(RefusedException.class, () -> sinks("counts").requireOneOfAnyAge(CONFIG));

        assertEquals(ErrorCode.INVALID_ARGUMENT, refused.code());
        assertTrue(refused.detail().contains("flagtally.pipeline.sinks"), refused.detail());
        assertTrue(refused.detail().contains("(mau)"), refused.detail());
    }

    private static ImportSinks sinks(String ofPipeline) {
        return ImportSinks.of(
                CONFIG,
                TestConfigs.of(PipelineConfig.class, Map.of("flagtally.pipeline.sinks", ofPipeline)),
                List.of(new NamedSink("counts"), new NamedSink("mau")));
    }

    private static List<String> names(List<BatchSink> sinks) {
        return sinks.stream().map(BatchSink::name).toList();
    }

    /** Says what it was asked to remember. */
    private record NamedSink(String name) implements BatchSink {
        @Override
        public Uni<BatchOutcome> write(EventBatch batch) {
            throw new UnsupportedOperationException("nothing is written here");
        }

        @Override
        public BatchSink recognisingFor(Duration window) {
            return new NamedSink(name + " for " + window);
        }

        @Override
        public BatchSink recognisingForGood() {
            return new NamedSink(name + " for good");
        }
    }
}
