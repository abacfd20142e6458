package dev.sluice.domain.candidate;

import java.util.List;

/**
 * What one step does, in slime's terms where no other exist.
 *
 * @param groupsPerStep prompts a step uses ({@code rollout_batch_size})
 * @param samplesPerPrompt responses a prompt gets ({@code n_samples_per_prompt})
 * @param globalBatchSamples samples of one optimizer step ({@code global_batch_size})
 * @param optimizerStepsPerStep optimizer steps of one step, 0 where only the global batch is given
 * @param oversample groups in flight beyond a step's ({@code over_sampling_batch_size} less the groups of a step)
 * @param maxPromptTokens longest prompt, 0 where unknown
 * @param maxResponseTokens longest response
 * @param meanResponseTokens mean response that times are predicted for
 * @param maxContextTokens bound on prompt, response and tool turns together; 0 where they have none of their own
 * @param temperature sampling temperature
 * @param frozenModels models that are loaded beside the policy and not trained: a reference, a teacher
 * @param oldLogprobPass whether log-probabilities are computed once more before training
 * @param evaluated whether held-out sets are measured
 * @param asynchronous whether the next step is sampled while one trains
 * @param rollout whether anything is sampled; supervised fine-tuning samples nothing
 * @param paths directories and files that the processes of all nodes open
 * @param slime settings of a slime script that have no place above, by slime's flags
 */
public record Workload(
        int groupsPerStep,
        int samplesPerPrompt,
        int globalBatchSamples,
        int optimizerStepsPerStep,
        int oversample,
        int maxPromptTokens,
        int maxResponseTokens,
        int meanResponseTokens,
        int maxContextTokens,
        double temperature,
        int frozenModels,
        boolean oldLogprobPass,
        boolean evaluated,
        boolean asynchronous,
        boolean rollout,
        List<String> paths,
        Flags slime) {
    public Workload {
        paths = List.copyOf(paths);
    }

    /** Samples of one step. */
    public int samplesPerStep() {
        return groupsPerStep * samplesPerPrompt;
    }

    /** The longest sequence, prompt and response together, tokens. */
    public int longestSampleTokens() {
        return maxPromptTokens + maxResponseTokens;
    }

    /** What one engine slot must hold: the context's bound where it has one, else the longest sample. */
    public int contextTokens() {
        return maxContextTokens > 0 ? maxContextTokens : longestSampleTokens();
    }

    /** The same step with a script's settings. */
    public Workload with(Flags script) {
        return new Workload(
                groupsPerStep,
                samplesPerPrompt,
                globalBatchSamples,
                optimizerStepsPerStep,
                oversample,
                maxPromptTokens,
                maxResponseTokens,
                meanResponseTokens,
                maxContextTokens,
                temperature,
                frozenModels,
                oldLogprobPass,
                evaluated,
                asynchronous,
                rollout,
                paths,
                script);
    }
}
