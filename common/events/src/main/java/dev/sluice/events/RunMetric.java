package dev.sluice.events;

import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/**
 * The catalogue of figures: every name that a {@link MetricPoint} or {@link TrainingEvent.StepCompleted#metrics} may carry, under
 * slime's metric names where slime has one with this meaning. Nothing else can be published. {@code METRICS.md} of this module is
 * made from it.
 *
 * @see <a href="https://github.com/THUDM/slime">slime, {@code slime/ray/rollout.py} and {@code
 *     slime/backends/megatron_utils/model.py}</a>
 */
public enum RunMetric {
    RAW_REWARD("rollout/raw_reward", "Mean reward", "reward", Source.SLIME, "Mean over the step's samples, as scored"),
    RESPONSE_LENGTH(
            "rollout/response_lengths",
            "Response length, tokens",
            "tokens",
            Source.SLIME,
            "Mean over the step's samples"),
    TRUNCATED_RATIO(
            "rollout/truncated_ratio",
            "Responses cut at the longest length",
            "share",
            Source.SLIME,
            "Samples that ended at rollout.maxResponseTokens"),
    ACCEPT_LENGTH(
            "rollout/spec_accept_length",
            "EAGLE acceptance length",
            "tokens",
            Source.SLIME,
            "Tokens a verification of speculative decoding yields; absent where nothing is speculated"),
    POLICY_LAG(
            "rollout/policy_lag",
            "Policy lag, publications",
            "publications",
            Source.SLUICE,
            "Mean over the step's groups of the publications between a group's oldest token and its use"),
    POLICY_LAG_COUNT(
            "rollout/policy_lag/count_{lag}",
            "Groups of one policy lag",
            "groups",
            Source.SLUICE,
            "Groups of the step by their lag: 0, 1 and so on, and more where rollout.staleSamples keeps older ones"),
    FILTERED_GROUPS(
            "rollout/dynamic_filter/drop_{reason}",
            "Groups that a filter left out",
            "groups",
            Source.SLIME,
            "Groups that the dynamic filter left out before the step, by its reason"),
    EQUAL_REWARD_GROUPS(
            "rollout/equal_reward_groups",
            "Groups whose rewards are all equal",
            "share",
            Source.SLUICE,
            "Share of the step's groups that teach nothing; those that the dynamic filter left out are not among them"),
    LOSS("train/loss", "Loss", "loss", Source.SLIME, "Everything that was minimised together"),
    POLICY_LOSS("train/pg_loss", "Policy loss", "loss", Source.SLIME, "The clipped policy-gradient part of the loss"),
    MTP_LOSS("train/mtp_loss", "MTP loss", "nats", Source.SLIME, "Cross-entropy of the MTP layer, not scaled"),
    ENTROPY("train/entropy_loss", "Entropy", "nats", Source.SLIME, "Mean entropy of the policy at a trained token"),
    KL(
            "train/ppo_kl",
            "KL of the step",
            "nats",
            Source.SLIME,
            "Mean of old minus current log-probability: how far the step went from where its ratio is taken"),
    KL_LOSS(
            "train/kl_loss",
            "KL from the reference in the loss",
            "nats",
            Source.SLIME,
            "Mean over the trained tokens by algorithm.klType; absent without algorithm.klLossCoefficient"),
    REFERENCE_KL(
            "rollout/kl",
            "KL from the reference in the rewards",
            "nats",
            Source.SLIME,
            "Mean over the trained tokens by algorithm.klType; absent without algorithm.klRewardCoefficient"),
    TEACHER_KL(
            "rollout/opd_reverse_kl",
            "Log-ratio of policy to teacher",
            "nats",
            Source.SLIME,
            "Mean over the trained tokens; absent without algorithm.distillation"),
    VALUES(
            "rollout/values",
            "Value",
            "reward",
            Source.SLIME,
            "Mean of the critic's values at trained tokens; ppo alone"),
    RETURNS("rollout/returns", "Return", "reward", Source.SLIME, "Mean of the returns of trained tokens; ppo alone"),
    VALUE_LOSS(
            "train/critic-value_loss",
            "Value loss",
            "loss",
            Source.SLIME,
            "Clipped squared distance of values from returns; ppo alone"),
    VALUE_CLIPPED(
            "train/critic-value_clipfrac",
            "Tokens whose value was clipped",
            "share",
            Source.SLIME,
            "Tokens whose clipped distance counted; ppo alone"),
    CRITIC_GRADIENT_NORM(
            "train/critic-grad_norm",
            "Gradient norm of the critic",
            "gradient",
            Source.SLIME,
            "L2 norm before clipping, mean over the step's optimizer steps; ppo alone"),
    OPSM_CLIPPED(
            "train/opsm_clipfrac",
            "Tokens of sequences masked as off-policy",
            "share",
            Source.SLIME,
            "Absent without algorithm.opsmDelta"),
    CLIP_FRACTION(
            "train/pg_clipfrac",
            "Tokens whose ratio was clipped",
            "share",
            Source.SLIME,
            "Tokens whose clipped objective counted"),
    IMPORTANCE_RATIO(
            "train/ois",
            "Ratio of the current policy to the old one",
            "ratio",
            Source.SLIME,
            "Mean over the trained tokens, before any clip"),
    MISMATCH_RATIO(
            "train/tis",
            "Ratio of the trainer's old policy to the engine's",
            "ratio",
            Source.SLIME,
            "Mean before any bound; absent without algorithm.mismatchCorrection"),
    MISMATCH_CLIPPED(
            "train/tis_clipfrac",
            "Tokens whose mismatch ratio was out of bounds",
            "share",
            Source.SLIME,
            "Absent without algorithm.mismatchCorrection"),
    MISMATCH_DISTANCE(
            "train/tis_abs",
            "Mismatch ratio, distance from 1",
            "ratio",
            Source.SLIME,
            "Mean; absent without algorithm.mismatchCorrection"),
    GRADIENT_NORM(
            "train/grad_norm",
            "Gradient norm",
            "gradient",
            Source.SLIME,
            "L2 norm before clipping, mean over the step's optimizer steps"),
    LOGPROB_DIFFERENCE(
            "train/train_rollout_logprob_abs_diff",
            "Trainer against engine, |log-prob difference|",
            "nats",
            Source.SLIME,
            "Mean over the trained tokens at the step's first optimizer step"),
    LOGPROB_DIFFERENCE_MAX(
            "train/train_rollout_logprob_abs_diff_max",
            "Trainer against engine, largest difference",
            "nats",
            Source.SLUICE,
            "The largest of what train/train_rollout_logprob_abs_diff averages"),
    STEP_SECONDS(
            "perf/step_time",
            "Seconds a step",
            "seconds",
            Source.SLIME,
            "From the end of the step before to the end of this one, the wait for groups included"),
    TRAIN_SECONDS(
            "perf/train_time",
            "Seconds of training in a step",
            "seconds",
            Source.SLIME,
            "The worker's own time for the step's batch; slime's also has the passes before it"),
    TOKENS_PER_SECOND(
            "perf/tokens_per_second",
            "Tokens trained per second",
            "tokens/second",
            Source.SLUICE,
            "Response tokens of the step by perf/step_time"),
    MEMORY_BEFORE_OFFLOAD(
            "perf/memory_before_offload",
            "GPU memory before training gives it to engines",
            "bytes",
            Source.SLUICE,
            "In use on the fullest of the worker's GPUs, by whomever; only where engines and training share GPUs"),
    MEMORY_AFTER_OFFLOAD(
            "perf/memory_after_offload",
            "GPU memory after training gave it to engines",
            "bytes",
            Source.SLUICE,
            "As perf/memory_before_offload, when the worker has offloaded"),
    MEMORY_BEFORE_ONLOAD(
            "perf/memory_before_onload",
            "GPU memory before training takes it",
            "bytes",
            Source.SLUICE,
            "As perf/memory_before_offload, when engines have given their memory back"),
    MEMORY_AFTER_ONLOAD(
            "perf/memory_after_onload",
            "GPU memory when training has it",
            "bytes",
            Source.SLUICE,
            "As perf/memory_before_offload, when the worker holds all that it trains with"),
    EVALUATION_REWARD(
            "eval/{set}",
            "Mean reward of a held-out set",
            "reward",
            Source.SLIME,
            "Mean over the set's samples, at the step after which its weights were current");

    private final String wireName;
    private final String title;
    private final String unit;
    private final Source source;
    private final String meaning;

    RunMetric(String wireName, String title, String unit, Source source, String meaning) {
        this.wireName = wireName;
        this.title = title;
        this.unit = unit;
        this.source = source;
        this.meaning = meaning;
    }

    /** Whose name it is. */
    public enum Source {
        /** slime logs this name with this meaning. */
        SLIME,
        /** slime has no such figure. */
        SLUICE
    }

    /** The name in {@link MetricPoint} and {@link TrainingEvent.StepCompleted#metrics}; of several, with a part in braces. */
    public String wireName() {
        return wireName;
    }

    /** The name of one of several figures, such as the reward of one held-out set. */
    public String wireName(String part) {
        if (!isSeveral()) {
            throw new IllegalStateException(wireName + " is one figure; " + part + " is none of its parts");
        }
        return prefix() + part;
    }

    /** The name on a screen. */
    public String title() {
        return title;
    }

    public String unit() {
        return unit;
    }

    public Source source() {
        return source;
    }

    /** What it says, in a sentence. */
    public String meaning() {
        return meaning;
    }

    /** The figure that a name stands for. */
    public static Optional<RunMetric> find(String name) {
        return Arrays.stream(values()).filter(metric -> metric.stands(name)).findFirst();
    }

    /**
     * Refuses to publish names that nobody has described.
     *
     * @throws IllegalStateException naming those that are in no catalogue
     */
    public static void requireKnown(Event event) {
        List<String> unknown = names(event).stream()
                .filter(name -> find(name).isEmpty())
                .sorted()
                .toList();
        if (!unknown.isEmpty()) {
            throw new IllegalStateException(
                    "%s of %s carries figures that nobody has described: %s; add them to RunMetric with unit and meaning"
                            .formatted(event.getClass().getSimpleName(), event.runId(), String.join(", ", unknown)));
        }
    }

    private static List<String> names(Event event) {
        return switch (event) {
            case MetricPoint point -> List.of(point.name());
            case TrainingEvent.StepCompleted step -> List.copyOf(step.metrics().keySet());
            default -> List.of();
        };
    }

    private boolean stands(String name) {
        return isSeveral() ? name.startsWith(prefix()) && name.length() > prefix().length() : name.equals(wireName);
    }

    private boolean isSeveral() {
        return wireName.endsWith("}");
    }

    private String prefix() {
        return wireName.substring(0, wireName.indexOf('{'));
    }
}
