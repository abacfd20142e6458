package dev.sluice.domain.training;

import dev.sluice.events.Algorithm.KlType;

/**
 * Divergence of the policy from another one, estimated from one sampled token.
 *
 * @see <a href="http://joschu.net/blog/kl-approx.html">Schulman, Approximating KL divergence</a>
 * @see <a href="https://github.com/THUDM/slime/blob/main/slime/utils/ppo_utils.py">slime's compute_approx_kl</a>
 */
final class KlEstimator {
    /** Bound of {@code low_var_kl}, nats. */
    private static final double MOST = 10;

    private KlEstimator() {}

    /**
     * @param difference log-probability of the policy less the other's, nats
     * @return nats; the mean over samples of the policy is the divergence for k1 and k3
     */
    static double of(KlType type, double difference) {
        return switch (type) {
            case K1 -> difference;
            case K2 -> difference * difference / 2;
            case K3 -> third(difference);
            case LOW_VAR_KL -> Math.clamp(third(difference), -MOST, MOST);
        };
    }

    private static double third(double difference) {
        return Math.exp(-difference) - 1 + difference;
    }
}
