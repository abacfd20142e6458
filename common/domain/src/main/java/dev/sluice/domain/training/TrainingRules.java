package dev.sluice.domain.training;

import dev.sluice.events.Rollout;
import dev.sluice.events.Rollout.DynamicFilter;
import dev.sluice.events.Rollout.StaleSamples;
import dev.sluice.events.RunKind;
import dev.sluice.events.TrainingRequest;

/**
 * What a run's request says about groups and batches.
 *
 * @param steps batches in all; 0 where nothing is trained
 * @param groupsPerStep groups a batch holds
 * @param samplesPerPrompt responses a group holds
 * @param stepsPerVersion steps between publications
 * @param maxPolicyLag publications between a sample's oldest token and its use, at most
 * @param oversample groups in flight beyond what the lag allows
 * @param maxRounds how often a group is asked for again
 * @param filter which groups are left out because nothing is learnt from them
 * @param staleSamples what becomes of samples that are older than the lag allows when their turn comes
 */
public record TrainingRules(
        String runId,
        int steps,
        int groupsPerStep,
        int samplesPerPrompt,
        int stepsPerVersion,
        int maxPolicyLag,
        int oversample,
        int maxRounds,
        DynamicFilter filter,
        StaleSamples staleSamples) {

    public TrainingRules {
        if (steps < 0 || groupsPerStep < 1 || samplesPerPrompt < 1 || stepsPerVersion < 1) {
            throw new IllegalArgumentException(
                    "steps %d must not be negative, groups a step %d, samples a prompt %d and steps a version %d must be positive"
                            .formatted(steps, groupsPerStep, samplesPerPrompt, stepsPerVersion));
        }
        if (maxPolicyLag < 0 || oversample < 0 || maxRounds < 0) {
            throw new IllegalArgumentException("policy lag %d, oversample %d and rounds %d must not be negative"
                    .formatted(maxPolicyLag, oversample, maxRounds));
        }
    }

    /** Samples that are too old are dropped. */
    public TrainingRules(
            String runId,
            int steps,
            int groupsPerStep,
            int samplesPerPrompt,
            int stepsPerVersion,
            int maxPolicyLag,
            int oversample,
            int maxRounds,
            DynamicFilter filter) {
        this(
                runId,
                steps,
                groupsPerStep,
                samplesPerPrompt,
                stepsPerVersion,
                maxPolicyLag,
                oversample,
                maxRounds,
                filter,
                StaleSamples.DROP);
    }

    public static TrainingRules of(String runId, TrainingRequest request) {
        return switch (RunKind.of(request)) {
            case REINFORCEMENT -> ofSamples(runId, request);
            // One version for ever, since no weights are published, and one answer a row.
            case SUPERVISED -> {
                int steps = request.training().steps();
                yield new TrainingRules(
                        runId, steps, request.rollout().groupsPerStep(), 1, steps, 0, 0, 0, DynamicFilter.NONE);
            }
            case ROLLOUT_ONLY -> new TrainingRules(runId, 0, 1, 1, 1, 0, 0, 0, DynamicFilter.NONE);
        };
    }

    private static TrainingRules ofSamples(String runId, TrainingRequest request) {
        Rollout rollout = request.rollout();
        return new TrainingRules(
                runId,
                request.training().steps(),
                rollout.groupsPerStep(),
                rollout.samplesPerPrompt(),
                request.weights().everySteps(),
                rollout.maxPolicyLag(),
                rollout.oversample(),
                rollout.maxRounds(),
                rollout.dynamicFilter(),
                rollout.staleSamples());
    }

    /** The groups that a step may choose from before a filter's fallback: a wave of slime's over-sampling. */
    int groupsPerWave() {
        return groupsPerStep + oversample;
    }

    /** The oldest weight version within the policy lag. */
    int oldestWithinLag(int currentVersion) {
        return Math.max(0, currentVersion - maxPolicyLag);
    }

    /** Groups that are trained on between two publications. */
    int groupsPerVersion() {
        return groupsPerStep * stepsPerVersion;
    }

    public String groupId(long cursor) {
        return runId + "/" + cursor;
    }
}
