package dev.sluice.domain.cost;

import dev.sluice.domain.candidate.Workload;

/** Lengths of samples that times are predicted for, tokens. */
final class SampleTokens {
    private SampleTokens() {}

    /** Prompt and response together; prompts are taken for half as long as the longest. */
    static double mean(Workload workload) {
        return prompt(workload) + response(workload);
    }

    static double prompt(Workload workload) {
        return workload.maxPromptTokens() / 2.0;
    }

    static double response(Workload workload) {
        return workload.meanResponseTokens() > 0 ? workload.meanResponseTokens() : workload.maxResponseTokens() / 2.0;
    }
}
