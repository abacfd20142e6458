package dev.sluice.cli.stack;

import dev.sluice.cli.CommandFailure;
import java.nio.file.Path;
import java.util.List;

/**
 * What a local stack consists of.
 *
 * @param rolloutInstances from 1
 * @param inputRoots directories that requests may name besides the work directory's data
 * @param engineProgram what starts an engine, program and leading arguments, which the plan's follow; empty for the CPU engine
 * @param builtOnly leave services out that are not built, instead of refusing to start
 */
public record StackSettings(
        int rolloutInstances, List<Path> inputRoots, List<String> engineProgram, boolean builtOnly) {
    private static final int MAXIMUM_ROLLOUT_INSTANCES = 64;

    public StackSettings {
        if (rolloutInstances < 1 || rolloutInstances > MAXIMUM_ROLLOUT_INSTANCES) {
            throw CommandFailure.usage(
                    "a stack has 1 to " + MAXIMUM_ROLLOUT_INSTANCES + " rollout instances, not " + rolloutInstances);
        }
        inputRoots = inputRoots.stream()
                .map(root -> root.toAbsolutePath().normalize())
                .distinct()
                .toList();
        engineProgram = List.copyOf(engineProgram);
    }
}
