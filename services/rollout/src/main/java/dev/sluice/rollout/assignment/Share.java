package dev.sluice.rollout.assignment;

import java.time.Duration;
import java.util.List;
import java.util.regex.Pattern;

/**
 * What this instance gives to a run.
 *
 * @param epoch of the assignment
 * @param engines engines to run, all alike
 * @param gpus GPU indexes for all of them together; empty on CPUs
 */
public record Share(String runId, int epoch, int engines, List<Integer> gpus, EngineRecipe recipe) {
    /** Run ids name folders. */
    private static final Pattern RUN_ID = Pattern.compile("[a-z0-9-]{1,40}");

    public Share {
        if (!RUN_ID.matcher(runId).matches()) {
            throw new IllegalArgumentException("the run id '" + runId + "' does not match " + RUN_ID);
        }
        gpus = List.copyOf(gpus);
        if (engines < 0) {
            throw new IllegalArgumentException("run " + runId + " asks for " + engines + " engines");
        }
    }

    public Share withEngines(int other) {
        return new Share(runId, epoch, other, gpus, recipe);
    }

    /**
     * How an engine of the run is started.
     *
     * @param modelPath Hugging Face directory of the source weights and the tokenizer
     * @param args the plan's arguments, without program, model path, host and port
     * @param maxRunningRequests samples one engine runs at once
     * @param weightLoadDeadline how long an engine may take to load a weight version
     */
    public record EngineRecipe(
            String modelPath, List<String> args, int maxRunningRequests, Duration weightLoadDeadline) {
        public EngineRecipe {
            args = List.copyOf(args);
        }
    }
}
