package dev.sluice.domain.request;

import static java.util.Map.entry;

import java.util.Map;

/** What each number of a request may be, by its path. A number without an entry may be anything its type holds. */
record Bounds(double least, boolean leastIncluded, double most, boolean mostIncluded) {
    private static final Bounds POSITIVE = from(1);
    private static final Bounds NOT_NEGATIVE = from(0);
    private static final Bounds ABOVE_ZERO = new Bounds(0, false, 1e9, true);
    private static final Bounds BETA = new Bounds(0, true, 1, false);
    private static final Bounds COEFFICIENT = new Bounds(0, true, 1e3, true);

    static final Map<String, Bounds> BY_PATH = Map.ofEntries(
            entry("cluster.gpusPerNode", between(1, 64)),
            entry("cluster.trainNodes", between(1, 10_000)),
            entry("cluster.rolloutNodes", between(1, 10_000)),
            entry("cluster.trainGpus", between(0, 640_000)),
            entry("cluster.rolloutGpus", between(0, 640_000)),
            entry("cluster.hostMemoryGiB", NOT_NEGATIVE),
            entry("cluster.diskGiB", NOT_NEGATIVE),
            entry("data.maxPromptTokens", NOT_NEGATIVE),
            entry("reward.timeoutSeconds", between(1, 3600)),
            entry("reward.mixture[].timeoutSeconds", between(1, 3600)),
            entry("reward.mixture[].weight", new Bounds(-1e6, true, 1e6, true)),
            entry("evaluation[].everySteps", NOT_NEGATIVE),
            entry("evaluation[].samplesPerPrompt", between(1, 1024)),
            entry("evaluation[].maxResponseTokens", POSITIVE),
            entry("evaluation[].temperature", between(0, 100)),
            entry("rollout.engines", between(0, 10_000)),
            entry("rollout.maxEngines", between(0, 10_000)),
            entry("rollout.groupsPerStep", between(1, 65_536)),
            entry("rollout.samplesPerPrompt", between(1, 1024)),
            entry("rollout.maxResponseTokens", POSITIVE),
            entry("rollout.meanResponseTokens", NOT_NEGATIVE),
            entry("rollout.maxContextTokens", NOT_NEGATIVE),
            entry("rollout.temperature", between(0, 100)),
            entry("rollout.topP", new Bounds(0, false, 1, true)),
            entry("rollout.topK", from(-1)),
            entry("rollout.stopTokenIds[]", between(0, 1 << 24)),
            entry("rollout.maxPolicyLag", between(0, 1000)),
            entry("rollout.oversample", between(0, 65_536)),
            entry("rollout.fewestGroups", between(0, 65_536)),
            entry("rollout.maxRounds", between(0, 100)),
            entry("rollout.groupDeadlineSeconds", between(1, 86_400)),
            entry("rollout.hooks.timeoutSeconds", between(1, 86_400)),
            entry("rollout.turns.maxTurns", between(1, 1000)),
            entry("rollout.turns.turnTimeoutSeconds", between(1, 3600)),
            entry("rollout.redundantExperts", between(0, 1024)),
            entry("rollout.speculation.steps", between(1, 16)),
            entry("rollout.speculation.acceptance", new Bounds(0, true, 1, false)),
            entry("rollout.layout.gpusPerEngine", between(1, 640_000)),
            entry("rollout.layout.pp", between(1, 64)),
            entry("rollout.layout.dp", between(1, 640_000)),
            entry("rollout.layout.ep", between(1, 640_000)),
            entry("rollout.layout.memFractionStatic", new Bounds(0, false, 1, false)),
            entry("rollout.layout.cudaGraphMaxBatch", between(1, 65_536)),
            entry("rollout.layout.maxRunningRequests", between(1, 1_000_000)),
            entry("algorithm.clipLow", new Bounds(0, false, 1, true)),
            entry("algorithm.clipHigh", ABOVE_ZERO),
            entry("algorithm.dualClip", new Bounds(1, false, 1e9, true)),
            entry("algorithm.gamma", new Bounds(0, false, 1, true)),
            entry("algorithm.mismatchCorrection.low", COEFFICIENT),
            entry("algorithm.mismatchCorrection.high", ABOVE_ZERO),
            entry("algorithm.mismatchCorrection.veto", new Bounds(0, false, 1, true)),
            entry("algorithm.opsmDelta", new Bounds(0, true, 100, true)),
            entry("algorithm.lambda", between(0, 1)),
            entry("algorithm.critic.valueClip", ABOVE_ZERO),
            entry("algorithm.critic.onlySteps", between(0, 10_000_000)),
            entry("algorithm.critic.learningRate", COEFFICIENT),
            entry("algorithm.distillation.coefficient", COEFFICIENT),
            entry("algorithm.referenceUpdateSteps", between(0, 10_000_000)),
            entry("algorithm.klLossCoefficient", COEFFICIENT),
            entry("algorithm.klRewardCoefficient", COEFFICIENT),
            entry("algorithm.entropyCoefficient", COEFFICIENT),
            entry("training.steps", between(0, 10_000_000)),
            entry("training.optimizerStepsPerStep", between(1, 1024)),
            entry("training.learningRate", COEFFICIENT),
            entry("training.weightDecay", COEFFICIENT),
            entry("training.beta1", BETA),
            entry("training.beta2", BETA),
            entry("training.epsilon", ABOVE_ZERO),
            entry("training.maxGradNorm", ABOVE_ZERO),
            entry("training.mtp.lossScale", COEFFICIENT),
            entry("training.layout.tp", POSITIVE),
            entry("training.layout.pp", POSITIVE),
            entry("training.layout.cp", POSITIVE),
            entry("training.layout.ep", POSITIVE),
            entry("training.layout.etp", POSITIVE),
            entry("training.layout.firstStageLayers", POSITIVE),
            entry("training.layout.lastStageLayers", POSITIVE),
            entry("training.layout.tokensPerGpu", POSITIVE),
            entry("training.layout.cpuAdam", between(0, 1)),
            entry("training.batching.microBatchSize", between(1, 65_536)),
            entry("weights.everySteps", POSITIVE),
            entry("weights.loadDeadlineSeconds", between(1, 86_400)),
            entry("guards[].above", new Bounds(-1e12, true, 1e12, true)),
            entry("guards[].forSteps", between(1, 10_000)),
            entry("guards[].pauseMinutes", between(1, 43_200)),
            entry("checkpoints.everySteps", POSITIVE),
            entry("checkpoints.keepLast", between(1, 10_000)),
            entry("checkpoints.keepEvery", between(0, 10_000_000)),
            entry("checkpoints.keepBest", between(0, 10_000)),
            entry("scheduling.priority", between(-1000, 1000)));

    private static Bounds from(double least) {
        return new Bounds(least, true, Integer.MAX_VALUE, true);
    }

    private static Bounds between(double least, double most) {
        return new Bounds(least, true, most, true);
    }

    boolean allow(double value) {
        return (leastIncluded ? value >= least : value > least) && (mostIncluded ? value <= most : value < most);
    }

    @Override
    public String toString() {
        String lower = (leastIncluded ? "at least " : "above ") + plain(least);
        return most == Integer.MAX_VALUE
                ? lower
                : lower + (mostIncluded ? " and at most " : " and below ") + plain(most);
    }

    private static String plain(double value) {
        return value == Math.rint(value) ? Long.toString((long) value) : Double.toString(value);
    }
}
