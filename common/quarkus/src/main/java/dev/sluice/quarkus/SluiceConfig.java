package dev.sluice.quarkus;

import io.smallrye.config.ConfigMapping;
import io.smallrye.config.WithDefault;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Configuration that every service has; environment variables are the keys in capitals, such as SLUICE_DATA_ROOT. */
@ConfigMapping(prefix = "sluice")
public interface SluiceConfig {
    Kafka kafka();

    /** Where runs keep their files; the same path in every service. */
    @WithDefault("data")
    Path dataRoot();

    /** Directories that requests may name besides the data root. */
    Optional<List<Path>> inputRoots();

    /** Stable name of this instance; the application's name by default. */
    Optional<String> instanceId();

    /** Where to write {pid, port, startTime} once the service listens. */
    Optional<Path> stateFile();

    /** Broker settings. */
    interface Kafka {
        @WithDefault("localhost:9092")
        String bootstrapServers();

        /** Further Kafka client settings by their Kafka names. */
        Map<String, String> client();
    }
}
