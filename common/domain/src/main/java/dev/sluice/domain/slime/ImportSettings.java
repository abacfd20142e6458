package dev.sluice.domain.slime;

import java.util.Map;
import java.util.OptionalInt;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * What a script does not say.
 *
 * @param gpu label of the GPUs, such as {@code H100-80}; absent for that one, which is then said
 * @param hostMemoryGiB memory of a node's host, 0 where unknown
 * @param trainer the program that trains and its version or day, absent for Sluice's own
 * @param variables what the script's environment would hold, such as {@code BASE_DIR}
 * @param rows counts the rows of a prompt file that the script names; empty where it cannot be read
 */
public record ImportSettings(
        @Nullable String gpu,
        int hostMemoryGiB,
        @Nullable String trainer,
        Map<String, String> variables,
        Function<String, OptionalInt> rows) {
    public static final ImportSettings NONE = new ImportSettings(null, 0, null, Map.of(), path -> OptionalInt.empty());

    public ImportSettings {
        variables = Map.copyOf(variables);
    }
}
