package dev.sluice.domain.training;

import dev.sluice.events.Algorithm;
import dev.sluice.events.Algorithm.KlType;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * How a batch's advantages are computed.
 *
 * @param divideByDeviation whether advantages of GRPO, GSPO and CISPO are divided by the group's standard deviation
 * @param gamma discount a token of REINFORCE++'s and PPO's returns, above 0 and up to 1
 * @param whiten whether they are whitened over the tokens of the batch that have a gradient
 * @see <a href="https://github.com/THUDM/slime/blob/main/slime/backends/megatron_utils/loss.py">slime's
 *     compute_advantages_and_returns</a>
 */
public record AdvantageRule(
        AdvantageEstimator estimator, boolean divideByDeviation, double gamma, boolean whiten, Terms terms) {

    /**
     * What counts besides rewards.
     *
     * @param centre whether rewards are compared with their group's
     * @param lambda of PPO's generalised advantage estimation, 0 to 1
     * @param kl weight of the divergence from the reference in the rewards of tokens with gradient
     * @param klType its estimator
     * @param distillation weight of the log-ratio of policy to teacher, which is taken from the advantages
     */
    public record Terms(boolean centre, double lambda, double kl, KlType klType, double distillation) {
        /** Rewards alone. */
        public static final Terms NONE = new Terms(true, 1, 0, KlType.LOW_VAR_KL, 0);
    }

    public AdvantageRule(AdvantageEstimator estimator, boolean divideByDeviation, double gamma, boolean whiten) {
        this(estimator, divideByDeviation, gamma, whiten, Terms.NONE);
    }

    public static AdvantageRule of(Algorithm algorithm) {
        AdvantageEstimator estimator = AdvantageEstimator.named(algorithm.name())
                .orElseThrow(() ->
                        new IllegalStateException("a run of algorithm %s was taken, whose advantages nothing computes"
                                .formatted(algorithm.name())));
        Boolean whiten = algorithm.whitenAdvantages();
        return new AdvantageRule(
                estimator,
                algorithm.normaliseByStd(),
                algorithm.gamma(),
                whiten == null ? estimator.needsWhitening() : whiten,
                new Terms(
                        algorithm.normaliseRewards(),
                        algorithm.lambda(),
                        algorithm.klRewardCoefficient(),
                        algorithm.klType(),
                        algorithm.distillation().asksTeacher()
                                ? algorithm.distillation().coefficient()
                                : 0));
    }

    /** GRPO's, neither discounted nor whitened. */
    public static AdvantageRule grpo(boolean divideByDeviation) {
        return new AdvantageRule(AdvantageEstimator.GRPO, divideByDeviation, 1, false);
    }

    /** Whether advantages are other ones once models have been asked. */
    public boolean asksModels() {
        return estimator == AdvantageEstimator.PPO || terms.kl > 0 || terms.distillation > 0;
    }

    /** Advantages from rewards alone, which the log holds; PPO's are the rewards until a critic has been asked. */
    void fill(BatchRows rows) {
        float[] advantages = of(rows, ModelScores.NONE).advantages();
        System.arraycopy(advantages, 0, rows.advantages(), 0, advantages.length);
    }

    /** @param scores what was asked for; a term whose models were not asked is left out */
    public TokenAdvantages of(BatchRows rows, ModelScores scores) {
        int tokens = rows.tokens().length;
        boolean penalised = terms.kl > 0 && scores.old() != null && scores.reference() != null;
        double[] divergence = new double[tokens];
        if (penalised) {
            float[] old = Objects.requireNonNull(scores.old());
            float[] reference = Objects.requireNonNull(scores.reference());
            for (int t = 0; t < tokens; t++) {
                // What a tool wrote is not the policy's to answer for.
                divergence[t] = rows.lossMask()[t] * KlEstimator.of(terms.klType, (double) old[t] - reference[t]);
            }
        }
        double[] advantages = new double[tokens];
        double[] returns = new double[tokens];
        double[] bySample = bySample(rows.rewards(), rows.groups());
        for (int row = 0; row < rows.samples(); row++) {
            int first = rows.cuSeqlens()[row] + rows.promptLengths()[row];
            int end = rows.cuSeqlens()[row + 1];
            double[] penalties = new double[end - first];
            for (int i = 0; i < penalties.length; i++) {
                penalties[i] = terms.kl * divergence[first + i];
            }
            double[] response = response(rows, first, bySample[row], penalties, scores);
            System.arraycopy(response, 0, advantages, first, response.length);
            if (scores.values() != null) {
                for (int t = first; t < end; t++) {
                    returns[t] = advantages[t] + scores.values()[t];
                }
            }
        }
        Double teacherDivergence = distil(rows, scores, advantages);
        if (whiten) {
            Whitening.of(advantages, rows.lossMask()).apply(rows, advantages);
        }
        return new TokenAdvantages(
                floats(advantages),
                scores.values() == null ? null : floats(returns),
                penalised ? mean(rows, divergence) : null,
                teacherDivergence);
    }

    /** Advantages of a response's tokens, the first of which is the batch's {@code first}. */
    private double[] response(BatchRows rows, int first, double ofSample, double[] penalties, ModelScores scores) {
        double[] response = new double[penalties.length];
        switch (estimator) {
            case GRPO, GSPO, CISPO, RLOO, REINFORCE_PLUS_PLUS_BASELINE -> {
                for (int i = 0; i < response.length; i++) {
                    response[i] = ofSample - penalties[i];
                }
            }
            case REINFORCE_PLUS_PLUS -> {
                int rewarded = lastTrained(rows.lossMask(), first, first + response.length) - first;
                double sum = 0;
                for (int i = response.length - 1; i >= 0; i--) {
                    sum = (i == rewarded ? ofSample : 0) - penalties[i] + gamma * sum;
                    response[i] = sum;
                }
            }
            case PPO -> {
                float[] values = scores.values();
                double sum = 0;
                double next = 0;
                for (int i = response.length - 1; i >= 0; i--) {
                    double reward = (i == response.length - 1 ? ofSample : 0) - penalties[i];
                    double value = values == null ? 0 : values[first + i];
                    sum = reward + gamma * next - value + gamma * terms.lambda * sum;
                    next = value;
                    response[i] = values == null ? ofSample : sum;
                }
            }
        }
        return response;
    }

    /** Takes the teacher's term from the advantages of responses. */
    private @Nullable Double distil(BatchRows rows, ModelScores scores, double[] advantages) {
        if (terms.distillation == 0 || scores.old() == null || scores.teacher() == null) {
            return null;
        }
        double[] difference = new double[advantages.length];
        for (int row = 0; row < rows.samples(); row++) {
            for (int t = rows.cuSeqlens()[row] + rows.promptLengths()[row]; t < rows.cuSeqlens()[row + 1]; t++) {
                difference[t] = (double) scores.old()[t] - scores.teacher()[t];
                advantages[t] -= terms.distillation * difference[t];
            }
        }
        return mean(rows, difference);
    }

    private double[] bySample(double[] rewards, int[] groups) {
        if (!terms.centre) {
            return Advantages.finite(rewards);
        }
        return switch (estimator) {
            case GRPO, GSPO, CISPO, REINFORCE_PLUS_PLUS_BASELINE ->
                Advantages.ofGroups(rewards, groups, divideByDeviation && estimator.dividesByDeviation());
            case RLOO -> Advantages.leaveOneOut(rewards, groups);
            case REINFORCE_PLUS_PLUS, PPO -> Advantages.finite(rewards);
            case SFT -> new double[rewards.length];
        };
    }

    /** Where slime places the reward; before {@code first} where no token of the response is trained. */
    private static int lastTrained(byte[] lossMask, int first, int end) {
        int last = end - 1;
        while (last >= first && lossMask[last] == 0) {
            last--;
        }
        return last;
    }

    /** Over the tokens with gradient; 0 where there is none. */
    private static double mean(BatchRows rows, double[] values) {
        double sum = 0;
        for (int t = 0; t < values.length; t++) {
            sum += rows.lossMask()[t] * values[t];
        }
        return sum / Math.max(1, rows.trainedTokens());
    }

    private static float[] floats(double[] values) {
        float[] floats = new float[values.length];
        for (int t = 0; t < values.length; t++) {
            floats[t] = (float) values[t];
        }
        return floats;
    }
}
