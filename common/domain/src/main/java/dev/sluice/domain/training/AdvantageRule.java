package dev.sluice.domain.training;

import dev.sluice.events.TrainingRequest.Algorithm;

/**
 * How a batch's advantages are computed.
 *
 * @param divideByDeviation whether advantages of GRPO, GSPO and CISPO are divided by the group's standard deviation
 * @param gamma discount a token of REINFORCE++'s returns, above 0 and up to 1
 * @param whiten whether they are whitened over the tokens of the batch that have a gradient
 */
public record AdvantageRule(AdvantageEstimator estimator, boolean divideByDeviation, double gamma, boolean whiten) {

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
                whiten == null ? estimator.needsWhitening() : whiten);
    }

    /** GRPO's, neither discounted nor whitened. */
    public static AdvantageRule grpo(boolean divideByDeviation) {
        return new AdvantageRule(AdvantageEstimator.GRPO, divideByDeviation, 1, false);
    }

    /**
     * Advantages of all tokens; 0 at prompt tokens.
     *
     * @param rewards one a sample, unitless, finite
     */
    void fill(BatchRows rows, double[] rewards) {
        double[] advantages = new double[rows.tokens().length];
        double[] bySample = bySample(rewards, rows.groups());
        for (int row = 0; row < rows.samples(); row++) {
            int first = rows.cuSeqlens()[row] + rows.promptLengths()[row];
            int end = rows.cuSeqlens()[row + 1];
            int lastTrained = lastTrained(rows.lossMask(), first, end);
            for (int t = first; t < end; t++) {
                advantages[t] = estimator != AdvantageEstimator.REINFORCE_PLUS_PLUS
                        ? bySample[row]
                        : t > lastTrained ? 0 : bySample[row] * Math.pow(gamma, (double) lastTrained - t);
            }
        }
        if (whiten) {
            Whitening.of(advantages, rows.lossMask()).apply(rows, advantages);
        }
        for (int t = 0; t < advantages.length; t++) {
            rows.advantages()[t] = (float) advantages[t];
        }
    }

    private double[] bySample(double[] rewards, int[] groups) {
        return switch (estimator) {
            case GRPO, GSPO, CISPO, REINFORCE_PLUS_PLUS_BASELINE ->
                Advantages.ofGroups(rewards, groups, divideByDeviation && estimator.dividesByDeviation());
            case RLOO -> Advantages.leaveOneOut(rewards, groups);
            case REINFORCE_PLUS_PLUS -> Advantages.finite(rewards);
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
}
