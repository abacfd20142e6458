package dev.sluice.converter;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.converter.ConverterConfig.Check;
import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.Test;

class ConverterConfigTest {
    @Test
    void everyKeyHasTheDefaultThatTheReadmeSays() {
        ConverterConfig config = Configs.of(Map.of());

        assertThat(config.lockDeadline()).isEqualTo(Duration.ofMinutes(30));
        assertThat(config.keepConversions()).isEqualTo(10);
        assertThat(config.cacheLimit()).isEmpty();
        assertThat(config.sweepInterval()).isEqualTo(Duration.ofHours(1));
        assertThat(config.check()).isEqualTo(Check.QUICK);
        assertThat(config.hashThreads()).isEqualTo(4);
    }

    @Test
    void everyKeyCanBeSet() {
        ConverterConfig config = Configs.of(Map.of(
                "sluice.converter.lock-deadline", "5m",
                "sluice.converter.keep-conversions", "3",
                "sluice.converter.cache-limit", "500G",
                "sluice.converter.sweep-interval", "10m",
                "sluice.converter.check", "full",
                "sluice.converter.hash-threads", "16"));

        assertThat(config.lockDeadline()).isEqualTo(Duration.ofMinutes(5));
        assertThat(config.keepConversions()).isEqualTo(3);
        assertThat(config.cacheLimit().orElseThrow().asLongValue()).isEqualTo(500L << 30);
        assertThat(config.sweepInterval()).isEqualTo(Duration.ofMinutes(10));
        assertThat(config.check()).isEqualTo(Check.FULL);
        assertThat(config.hashThreads()).isEqualTo(16);
    }
}
