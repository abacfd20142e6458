package dev.sluice.domain.training;

import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/**
 * How rewards become advantages, by the names of a request's {@code algorithm.name}.
 *
 * @see <a href="https://github.com/THUDM/slime/blob/main/slime/utils/ppo_utils.py">slime's advantage-estimator; it has no
 *     rloo</a>
 */
public enum AdvantageEstimator {
    /** Rewards against their group, divided by its deviation. */
    GRPO,
    /** As GRPO; its loss takes one ratio a sequence. */
    GSPO,
    /** As GRPO; its loss weighs log-probabilities by a clipped ratio. */
    CISPO,
    /** Rewards against the mean of the group's other samples. */
    RLOO,
    /** Discounted sums of the reward at the last trained token, whitened over the batch. */
    REINFORCE_PLUS_PLUS,
    /** Rewards against their group, whitened over the batch. */
    REINFORCE_PLUS_PLUS_BASELINE,
    /** Generalised advantage estimation over a critic's values. */
    PPO,
    /** None: answers are given, and each token counts alike. */
    SFT;

    /** The name in requests, as slime spells it. */
    public String wireName() {
        return name().toLowerCase(Locale.ROOT);
    }

    /** The estimator of that name, if it is one that is computed. */
    public static Optional<AdvantageEstimator> named(String name) {
        return Arrays.stream(values())
                .filter(estimator -> estimator.wireName().equals(name))
                .findFirst();
    }

    /** All names, for messages. */
    public static List<String> wireNames() {
        return Arrays.stream(values()).map(AdvantageEstimator::wireName).toList();
    }

    /** Whether a sample is compared with its group, which then needs two. */
    public boolean comparesGroups() {
        return this != REINFORCE_PLUS_PLUS && this != PPO && this != SFT;
    }

    /** Whether advantages that stand for single samples must be whitened. */
    public boolean needsWhitening() {
        return this == REINFORCE_PLUS_PLUS || this == REINFORCE_PLUS_PLUS_BASELINE;
    }

    /** Whether a token has a reward of its own, which a divergence can lower. */
    public boolean rewardsTokens() {
        return this == REINFORCE_PLUS_PLUS || this == REINFORCE_PLUS_PLUS_BASELINE || this == PPO;
    }

    /** Whether later rewards of a response are discounted. */
    public boolean discounts() {
        return this == REINFORCE_PLUS_PLUS || this == PPO;
    }

    /** Whether the group's deviation may divide its advantages. */
    boolean dividesByDeviation() {
        return this == GRPO || this == GSPO || this == CISPO;
    }
}
