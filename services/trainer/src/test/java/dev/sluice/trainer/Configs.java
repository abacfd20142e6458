package dev.sluice.trainer;

import io.smallrye.config.SmallRyeConfigBuilder;
import java.util.Map;

/** The configuration as a service reads it. */
public final class Configs {
    private Configs() {}

    public static TrainerConfig of(Map<String, String> values) {
        return new SmallRyeConfigBuilder()
                .addDiscoveredConverters()
                .withMapping(TrainerConfig.class)
                .withDefaultValues(values)
                .build()
                .getConfigMapping(TrainerConfig.class);
    }
}
