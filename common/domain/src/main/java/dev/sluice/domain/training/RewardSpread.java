package dev.sluice.domain.training;

import dev.sluice.events.GroupEvent.GroupSampled;
import java.math.BigDecimal;
import java.math.RoundingMode;
import java.util.Objects;
import java.util.Optional;

/**
 * Whether the rewards of a group differ. Where they do not, every advantage is 0 and nothing is learnt from the group. It says
 * the same of a result at any time, so a group that is left out once is left out after every replay.
 *
 * @see <a href="https://github.com/THUDM/slime">slime, {@code filter_hub/dynamic_sampling_filters.py}</a>
 */
public final class RewardSpread {
    /** Sample standard deviation, in units of the reward, up to which rewards count as equal. */
    private static final double EQUAL = 1e-6;
    /** From here on a double has no decimals and its digits would make long names. */
    private static final double LARGE = 1e15;

    private RewardSpread() {}

    /** slime's name of the reason to leave a group out, with its first reward; empty for a group whose rewards differ. */
    static Optional<String> objection(GroupSampled group) {
        double[] rewards = group.samples().stream()
                .mapToDouble(sample -> Objects.requireNonNullElse(sample.reward(), Double.NaN))
                .toArray();
        return deviation(rewards) > EQUAL ? Optional.empty() : Optional.of("zero_std_" + rounded(rewards[0]));
    }

    /** Whether the rewards of a group of several samples are all equal. */
    public static boolean isEqual(GroupSampled group) {
        return group.samples().size() > 1 && objection(group).isPresent();
    }

    /** Sample standard deviation; not a number for less than two rewards. */
    static double deviation(double[] rewards) {
        double sum = 0;
        for (double reward : rewards) {
            sum += reward;
        }
        double mean = sum / rewards.length;
        double squares = 0;
        for (double reward : rewards) {
            squares += (reward - mean) * (reward - mean);
        }
        return Math.sqrt(squares / (rewards.length - 1));
    }

    /** As Python writes {@code round(reward, 1)}: by the exact binary value, half to even, with the sign of a negative zero. */
    private static String rounded(double reward) {
        if (!(Math.abs(reward) < LARGE)) {
            return Double.toString(reward);
        }
        String text = new BigDecimal(reward).setScale(1, RoundingMode.HALF_EVEN).toPlainString();
        boolean negativeZero = Math.copySign(1, reward) < 0 && !text.startsWith("-");
        return negativeZero ? "-" + text : text;
    }
}
