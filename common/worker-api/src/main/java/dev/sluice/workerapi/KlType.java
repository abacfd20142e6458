package dev.sluice.workerapi;

import com.fasterxml.jackson.annotation.JsonProperty;

/**
 * Estimators of a divergence from one sampled token with d = log-probability of the policy less the reference's.
 *
 * @see <a href="http://joschu.net/blog/kl-approx.html">Schulman, Approximating KL divergence</a>
 */
public enum KlType {
    /** d. */
    @JsonProperty("k1")
    K1,
    /** d squared, halved. */
    @JsonProperty("k2")
    K2,
    /** exp(-d) - 1 + d. */
    @JsonProperty("k3")
    K3,
    /** k3 bounded at 10. */
    @JsonProperty("low_var_kl")
    LOW_VAR_KL
}
