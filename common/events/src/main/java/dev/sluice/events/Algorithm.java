package dev.sluice.events;

import org.jspecify.annotations.Nullable;

/** How rewards become advantages and losses. Defaults stand in {@code request-defaults.yaml} of the planner's rules. */
@About("The algorithm and its coefficients")
public record Algorithm(
        @About(
                "grpo, gspo, cispo, rloo, reinforce_plus_plus, reinforce_plus_plus_baseline, ppo, or sft: learn the prompt file's answers")
        String name,

        @About("Lower clip distance of the probability ratio")
        double clipLow,

        @About("Upper clip distance of the probability ratio")
        double clipHigh,

        @About("Bound above 1 on the loss of tokens with a negative advantage, in advantages; absent: none") @Nullable
        Double dualClip,

        @About("Weight of the KL loss against the reference; 0 computes none")
        double klLossCoefficient,

        @About("Weight of the entropy bonus") double entropyCoefficient,
        @About("Where old log-probabilities come from") OldLogprobs oldLogprobs,

        @About("How samples are weighed where trainer and engine differ about their probability")
        MismatchCorrection mismatchCorrection,

        @About("Divide group rewards by their standard deviation")
        boolean normaliseByStd,

        @About("Whiten advantages over the batch; absent: as the algorithm has it") @Nullable
        Boolean whitenAdvantages,

        @About("Discount a token of reinforce_plus_plus's and ppo's returns")
        Double gamma,

        @About(
                "sample: mean of sample means; token: mean over all tokens; constant: sum by samples and longest response")
        LossNormaliser lossNormaliser,

        @About("Weight of the KL divergence from the reference in the rewards of tokens; 0 computes none")
        double klRewardCoefficient,

        @About("Estimator of the KL divergence of a token: k1, k2, k3, or low_var_kl, which is k3 bounded at 10")
        KlType klType,

        @About("Multiply the KL loss by the ratio of the current policy to the old one")
        boolean unbiasedKl,

        @About("Checkpoint of the reference, as Hugging Face or torch_dist; absent: the model that the run starts from")
        @Nullable
        String reference,

        @About("Compare rewards with their group's; false: the advantage is the reward itself")
        Boolean normaliseRewards,

        @About(
                "Sequences with a negative advantage count nothing where they became less likely than this, nats a token;"
                        + " absent: all count")
        @Nullable
        Double opsmDelta,

        @About("Lambda of ppo's generalised advantage estimation")
        Double lambda,

        @About("The critic of ppo") Critic critic,

        @About("Learning from a teacher's log-probabilities")
        Distillation distillation,

        @About("The policy becomes the reference after every so many steps; 0: never")
        int referenceUpdateSteps) {
    public Algorithm {
        // Records of this version's first months have none of these.
        mismatchCorrection = mismatchCorrection == null ? MismatchCorrection.OFF : mismatchCorrection;
        gamma = gamma == null ? Double.valueOf(1) : gamma;
        klType = klType == null ? KlType.LOW_VAR_KL : klType;
        normaliseRewards = normaliseRewards == null ? Boolean.TRUE : normaliseRewards;
        lambda = lambda == null ? Double.valueOf(1) : lambda;
        critic = critic == null ? Critic.DEFAULT : critic;
        distillation = distillation == null ? Distillation.OFF : distillation;
    }

    /** Whether a coefficient uses a reference model's log-probabilities. */
    public boolean usesReference() {
        return klLossCoefficient > 0 || klRewardCoefficient > 0;
    }

    /** Estimators of a divergence from one sampled token. */
    public enum KlType {
        K1,
        K2,
        K3,
        LOW_VAR_KL
    }

    @About("The critic of ppo: the model with one output, trained on returns")
    public record Critic(
            @About("Distance from the value before the step beyond which the value loss is clipped")
            double valueClip,

            @About("First steps in which the critic alone is trained")
            int onlySteps,

            @About("Its learning rate; absent: the policy's") @Nullable
            Double learningRate) {
        public static final Critic DEFAULT = new Critic(0.2, 0, null);
    }

    @About("Learning from a teacher's log-probabilities of what the policy sampled")
    public record Distillation(
            @About(
                    "A teacher with the model's vocabulary: its checkpoint as Hugging Face or torch_dist, or the http(s) address of an SGLang server; absent: none")
            @Nullable
            String teacher,

            @About("Weight of the log-ratio of policy to teacher, which is taken from the advantages")
            double coefficient) {
        /** There is no teacher. */
        public static final Distillation OFF = new Distillation(null, 1);

        /** Whether a teacher is asked. */
        public boolean asksTeacher() {
            return teacher != null && coefficient > 0;
        }

        /** Whether the teacher is a server, asked over HTTP. */
        public boolean asksServer() {
            return teacher != null && (teacher.startsWith("http://") || teacher.startsWith("https://"));
        }

        /** The teacher's checkpoint; null where there is none, or a server has it. */
        public @Nullable String teacherCheckpoint() {
            return asksServer() ? null : teacher;
        }

        /** The checkpoint that the worker is to load. */
        public @Nullable String loadedTeacher() {
            return asksTeacher() ? teacherCheckpoint() : null;
        }
    }

    @About("Weight of a token by the ratio of the trainer's old probability to the engine's")
    public record MismatchCorrection(
            @About("none, tis: the ratio clipped to the bounds, or icepop: 0 outside of them")
            CorrectionType type,

            @About("Least ratio") double low,
            @About("Largest ratio") double high,

            @About("token: a ratio of each token; sequence: their product; geometric: their geometric mean")
            CorrectionLevel level,

            @About("A sequence counts nothing where one of its tokens has a ratio below this; absent: all count")
            @Nullable
            Double veto) {
        /** Nothing is weighed. */
        public static final MismatchCorrection OFF =
                new MismatchCorrection(CorrectionType.NONE, 0, 2, CorrectionLevel.TOKEN, null);

        public MismatchCorrection {
            level = level == null ? CorrectionLevel.TOKEN : level;
        }
    }

    /** What one ratio stands for. */
    public enum CorrectionLevel {
        TOKEN,
        SEQUENCE,
        GEOMETRIC
    }

    public enum CorrectionType {
        NONE,
        TIS,
        ICEPOP
    }

    public enum OldLogprobs {
        AUTO,
        RECOMPUTE,
        ROLLOUT,
        CURRENT
    }

    public enum LossNormaliser {
        SAMPLE,
        TOKEN,
        CONSTANT
    }
}
