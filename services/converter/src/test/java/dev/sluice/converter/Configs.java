package dev.sluice.converter;

import io.quarkus.runtime.configuration.DurationConverter;
import io.quarkus.runtime.configuration.MemorySize;
import io.quarkus.runtime.configuration.MemorySizeConverter;
import io.smallrye.config.PropertiesConfigSource;
import io.smallrye.config.SmallRyeConfigBuilder;
import java.time.Duration;
import java.util.Map;

/** The configuration as the service reads it. */
final class Configs {
    private Configs() {}

    static ConverterConfig of(Map<String, String> keys) {
        return new SmallRyeConfigBuilder()
                .withMapping(ConverterConfig.class)
                .withConverter(Duration.class, 1000, new DurationConverter())
                .withConverter(MemorySize.class, 1000, new MemorySizeConverter())
                .withSources(new PropertiesConfigSource(keys, "test", 100))
                .build()
                .getConfigMapping(ConverterConfig.class);
    }
}
