package dev.sluice.cpu.engine;

import java.io.File;
import java.io.IOException;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What the engine takes from environment variables, because SGLang has no flag for it.
 *
 * @param journal {@code SLUICE_ENGINE_JOURNAL}: file that gets a line for each request that ended; null writes none
 * @param allowedRoots {@code SLUICE_ALLOWED_ROOTS}: directories that models may lie under; empty allows all
 * @param lifeline whether {@code SLUICE_LIFELINE} is "stdin": the engine ends when its standard input does
 */
record EngineEnvironment(@Nullable Path journal, List<Path> allowedRoots, boolean lifeline) {

    static EngineEnvironment of(Map<String, String> variables) {
        String journal = variables.get("SLUICE_ENGINE_JOURNAL");
        String roots = variables.getOrDefault("SLUICE_ALLOWED_ROOTS", "");
        return new EngineEnvironment(
                journal == null || journal.isBlank() ? null : Path.of(journal),
                Arrays.stream(roots.split(File.pathSeparator))
                        .filter(root -> !root.isBlank())
                        .map(Path::of)
                        .toList(),
                "stdin".equals(variables.get("SLUICE_LIFELINE")));
    }

    /**
     * The real path of a model directory.
     *
     * @throws RequestException if it does not exist or lies outside the allowed roots; links are followed first
     */
    Path modelDirectory(String given) {
        Path real;
        try {
            real = Path.of(given).toRealPath();
        } catch (IOException | InvalidPathException e) {
            throw new RequestException("The model directory " + given + " cannot be opened: " + e.getMessage());
        }
        if (!allowedRoots.isEmpty() && allowedRoots.stream().noneMatch(root -> liesUnder(real, root))) {
            throw new RequestException("The model directory " + given + " lies outside the allowed roots "
                    + allowedRoots + " (SLUICE_ALLOWED_ROOTS).");
        }
        return real;
    }

    /** A root that does not exist holds nothing. */
    private static boolean liesUnder(Path real, Path root) {
        try {
            return real.startsWith(root.toRealPath());
        } catch (IOException e) {
            return false;
        }
    }
}
