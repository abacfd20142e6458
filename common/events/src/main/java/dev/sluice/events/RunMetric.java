package dev.sluice.events;

/**
 * Figures that a trainer publishes with every step, under slime's metric names where slime has one.
 *
 * @see <a href="https://github.com/THUDM/slime">slime, {@code slime/ray/rollout.py} and {@code
 *     slime/backends/megatron_utils/model.py}</a>
 */
public enum RunMetric {
    RAW_REWARD("rollout/raw_reward", "Mean reward"),
    RESPONSE_LENGTH("rollout/response_lengths", "Response length, tokens"),
    TRUNCATED_RATIO("rollout/truncated_ratio", "Responses cut at the longest length"),
    ACCEPT_LENGTH("rollout/spec_accept_length", "EAGLE acceptance length"),
    POLICY_LAG("rollout/policy_lag", "Policy lag, publications"),
    LOSS("train/loss", "Loss"),
    POLICY_LOSS("train/pg_loss", "Policy loss"),
    MTP_LOSS("train/mtp_loss", "MTP loss"),
    ENTROPY("train/entropy_loss", "Entropy"),
    KL("train/ppo_kl", "KL of the step"),
    KL_LOSS("train/kl_loss", "KL from the reference in the loss"),
    REFERENCE_KL("rollout/kl", "KL from the reference in the rewards"),
    TEACHER_KL("rollout/opd_reverse_kl", "Log-ratio of policy to teacher"),
    VALUES("rollout/values", "Value"),
    RETURNS("rollout/returns", "Return"),
    VALUE_LOSS("train/critic-value_loss", "Value loss"),
    VALUE_CLIPPED("train/critic-value_clipfrac", "Tokens whose value was clipped"),
    CRITIC_GRADIENT_NORM("train/critic-grad_norm", "Gradient norm of the critic"),
    OPSM_CLIPPED("train/opsm_clipfrac", "Tokens of sequences masked as off-policy"),
    CLIP_FRACTION("train/pg_clipfrac", "Tokens whose ratio was clipped"),
    IMPORTANCE_RATIO("train/ois", "Ratio of the current policy to the old one"),
    MISMATCH_RATIO("train/tis", "Ratio of the trainer's old policy to the engine's"),
    MISMATCH_CLIPPED("train/tis_clipfrac", "Tokens whose mismatch ratio was out of bounds"),
    MISMATCH_DISTANCE("train/tis_abs", "Mismatch ratio, distance from 1"),
    GRADIENT_NORM("train/grad_norm", "Gradient norm"),
    LOGPROB_DIFFERENCE("train/train_rollout_logprob_abs_diff", "Trainer against engine, |log-prob difference|"),
    LOGPROB_DIFFERENCE_MAX("train/train_rollout_logprob_abs_diff_max", "Trainer against engine, largest difference"),
    STEP_SECONDS("perf/step_time", "Seconds a step"),
    TRAIN_SECONDS("perf/train_time", "Seconds of training in a step"),
    TOKENS_PER_SECOND("perf/tokens_per_second", "Tokens trained per second");

    private final String wireName;
    private final String title;

    RunMetric(String wireName, String title) {
        this.wireName = wireName;
        this.title = title;
    }

    /** The name in {@link MetricPoint} and {@link TrainingEvent.StepCompleted#metrics}. */
    public String wireName() {
        return wireName;
    }

    /** The name on a screen. */
    public String title() {
        return title;
    }
}
