package dev.sluice.domain.slime;

import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What a script does not say.
 *
 * @param gpu label of the GPUs, such as {@code H100-80}; absent for that one, which is then said
 * @param hostMemoryGiB memory of a node's host, 0 where unknown
 * @param trainer the program that trains and its version or day, absent for Sluice's own
 * @param variables what the script's environment would hold, such as {@code BASE_DIR}
 */
public record ImportSettings(
        @Nullable String gpu, int hostMemoryGiB, @Nullable String trainer, Map<String, String> variables) {
    public static final ImportSettings NONE = new ImportSettings(null, 0, null, Map.of());

    public ImportSettings {
        variables = Map.copyOf(variables);
    }
}
