package dev.sluice.domain.training;

import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;

/**
 * Advantages of samples against their group: rewards centred on its mean and, where asked for, divided by its sample
 * standard deviation (n - 1) plus 1e-6, or against the mean of its other samples. Groups are told apart by number, so they
 * may differ in size.
 *
 * @see <a href="https://arxiv.org/abs/2402.03300">DeepSeekMath, section 4.1.2</a>
 */
public final class Advantages {
    private static final double EPSILON = 1e-6;

    private Advantages() {}

    /**
     * @param rewards one a sample, unitless, finite
     * @param groups the group of each sample
     * @param divideByDeviation whether to divide; a group of one sample is only centred
     * @return one a sample; zeros for a group whose rewards are all equal
     */
    public static double[] ofGroups(double[] rewards, int[] groups, boolean divideByDeviation) {
        if (rewards.length != groups.length) {
            throw new IllegalArgumentException(rewards.length + " rewards for " + groups.length + " group numbers");
        }
        finite(rewards);
        Map<Integer, double[]> byGroup = new HashMap<>();
        for (int i = 0; i < rewards.length; i++) {
            byGroup.merge(groups[i], new double[] {rewards[i]}, Advantages::joined);
        }
        Map<Integer, Scale> scales = new HashMap<>();
        byGroup.forEach((group, ofGroup) -> scales.put(group, Scale.of(ofGroup, divideByDeviation)));
        double[] advantages = new double[rewards.length];
        Arrays.setAll(advantages, i -> scales.get(groups[i]).apply(rewards[i]));
        return advantages;
    }

    /**
     * RLOO: each reward less the mean of the others of its group.
     *
     * @return one a sample; 0 for a group of one
     * @see <a href="https://arxiv.org/abs/2402.14740">Back to basics: REINFORCE leave-one-out</a>
     */
    static double[] leaveOneOut(double[] rewards, int[] groups) {
        double[] centred = ofGroups(rewards, groups, false);
        Map<Integer, Integer> sizes = new HashMap<>();
        for (int group : groups) {
            sizes.merge(group, 1, Integer::sum);
        }
        Arrays.setAll(centred, i -> {
            int size = sizes.get(groups[i]);
            return size < 2 ? 0 : centred[i] * size / (size - 1);
        });
        return centred;
    }

    /** @throws IllegalArgumentException naming the first reward that is no number */
    static double[] finite(double[] rewards) {
        for (int i = 0; i < rewards.length; i++) {
            if (!Double.isFinite(rewards[i])) {
                throw new IllegalArgumentException("the reward of sample " + i + " is " + rewards[i]);
            }
        }
        return rewards;
    }

    private static double[] joined(double[] left, double[] right) {
        double[] joined = Arrays.copyOf(left, left.length + right.length);
        System.arraycopy(right, 0, joined, left.length, right.length);
        return joined;
    }

    private record Scale(double mean, double divisor, boolean flat) {
        static Scale of(double[] rewards, boolean divideByDeviation) {
            double mean = Arrays.stream(rewards).sum() / rewards.length;
            boolean flat = Arrays.stream(rewards).allMatch(reward -> reward == rewards[0]);
            if (!divideByDeviation || rewards.length < 2) {
                return new Scale(mean, 1, flat);
            }
            double squares = Arrays.stream(rewards)
                    .map(reward -> (reward - mean) * (reward - mean))
                    .sum();
            return new Scale(mean, Math.sqrt(squares / (rewards.length - 1)) + EPSILON, flat);
        }

        double apply(double reward) {
            // Equal rewards teach nothing; rounding of the mean must not be blown up by the tiny divisor.
            return flat ? 0 : (reward - mean) / divisor;
        }
    }
}
