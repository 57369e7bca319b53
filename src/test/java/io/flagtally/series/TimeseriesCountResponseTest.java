package io.flagtally.series;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;

import com.fasterxml.jackson.databind.ObjectMapper;
import io.flagtally.event.VariationId;
import io.flagtally.rollup.Granularity;
import io.flagtally.rollup.TimeBucket;
import io.flagtally.series.FlagSeries.VariationSeries;
import java.io.IOException;
import java.io.InputStream;
import java.time.Instant;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.Test;

class TimeseriesCountResponseTest {

    @Test
    void of_series_isTheTextOfTheContract() throws IOException {
        FlagSeries series = new FlagSeries(
                List.of(day(1787184000), day(1787270400)),
                List.of(
                        new VariationSeries(new VariationId("var-1"), List.of(5L, 4L), List.of(2L, 3L), 4),
                        new VariationSeries(VariationId.DEFAULT, List.of(0L, 0L), List.of(0L, 0L), 0)));

        String json = new ObjectMapper().writeValueAsString(TimeseriesCountResponse.of(series, Granularity.DAY));

        try (InputStream golden =
                Objects.requireNonNull(getClass().getResourceAsStream("/golden/timeseries-count.json"))) {
            assertEquals(new String(golden.readAllBytes(), UTF_8).strip(), json);
        }
    }

    private static TimeBucket day(long second) {
        return new TimeBucket(Granularity.DAY, Instant.ofEpochSecond(second));
    }
}
