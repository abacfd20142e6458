package dev.sluice.converter;

import io.quarkus.runtime.configuration.MemorySize;
import io.smallrye.config.ConfigMapping;
import io.smallrye.config.WithDefault;
import java.time.Duration;
import java.util.Optional;

/** Configuration of the converter. */
@ConfigMapping(prefix = "sluice.converter")
public interface ConverterConfig {
    /** How long a conversion waits while another process works on the same target; below the hour after which the broker gives its work away. */
    @WithDefault("30m")
    Duration lockDeadline();

    /** How many converted models are kept, the most recently used; those that runs use are kept beyond that. */
    @WithDefault("10")
    int keepConversions();

    /** What converted models may take on disk together, such as 500G; those that runs use may take more. */
    Optional<MemorySize> cacheLimit();

    /** How often old conversions and what crashes left behind are looked for. */
    @WithDefault("1h")
    Duration sweepInterval();

    /** What is looked at before a conversion that is there already is handed to a trainer. */
    @WithDefault("quick")
    Check check();

    /** How many files of a source are hashed at once. */
    @WithDefault("4")
    int hashThreads();

    /** How closely a conversion that is there already is looked at. */
    enum Check {
        /** Its files and their sizes. */
        QUICK,
        /** Every byte, against the hashes in its manifest. */
        FULL
    }
}
