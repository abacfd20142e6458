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
    void everyKeyCanBeSet() {
        PlannerConfig config = read(Map.of(
                "sluice.planner.conversion-deadline", "1s",
                "sluice.planner.engines-ready-deadline", "2s",
                "sluice.planner.trainer-ready-deadline", "3s",
                "sluice.planner.stopping-deadline", "4s"));

        assertThat(config.deadlines())
                .isEqualTo(new Deadlines(
                        Duration.ofSeconds(1), Duration.ofSeconds(2), Duration.ofSeconds(3), Duration.ofSeconds(4)));
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
