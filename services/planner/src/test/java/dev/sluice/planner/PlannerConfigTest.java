package dev.sluice.planner;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.domain.run.Deadlines;
import io.smallrye.config.PropertiesConfigSource;
import io.smallrye.config.SmallRyeConfigBuilder;
import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.Test;

class PlannerConfigTest {

    @Test
    void defaultsAreThoseOfTheRules() {
        assertThat(read(Map.of()).deadlines()).isEqualTo(Deadlines.DEFAULT);
    }

    @Test
    void resultsOfFinishedRunsAreKeptForAWeekAndDeletedByTenThousands() {
        assertThat(read(Map.of()).logKeep()).isEqualTo(Duration.ofDays(7));
        assertThat(read(Map.of()).logTrimRecords()).isEqualTo(10_000);
        assertThat(read(Map.of()).logTrimInterval()).isEqualTo(Duration.ofMinutes(1));
    }

    @Test
    void everyKeyCanBeSet() {
        PlannerConfig config = read(Map.of(
                "sluice.planner.conversion-deadline", "1s",
                "sluice.planner.engines-ready-deadline", "2s",
                "sluice.planner.trainer-ready-deadline", "3s",
                "sluice.planner.nodes-deadline", "7s",
                "sluice.planner.stopping-deadline", "4s",
                "sluice.planner.log-keep", "1d",
                "sluice.planner.log-trim-records", "5",
                "sluice.planner.log-trim-interval", "6s"));

        assertThat(config.deadlines())
                .isEqualTo(new Deadlines(
                        Duration.ofSeconds(1),
                        Duration.ofSeconds(2),
                        Duration.ofSeconds(3),
                        Duration.ofSeconds(7),
                        Duration.ofSeconds(4)));
        assertThat(config.logKeep()).isEqualTo(Duration.ofDays(1));
        assertThat(config.logTrimRecords()).isEqualTo(5);
        assertThat(config.logTrimInterval()).isEqualTo(Duration.ofSeconds(6));
    }

    private static PlannerConfig read(Map<String, String> values) {
        return new SmallRyeConfigBuilder()
                .withMapping(PlannerConfig.class)
                .withConverter(Duration.class, 1000, new io.quarkus.runtime.configuration.DurationConverter())
                .withSources(new PropertiesConfigSource(values, "test", 100))
                .build()
                .getConfigMapping(PlannerConfig.class);
    }
}
