package dev.sluice.cpu.model;

import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;

/**
 * What a model says about given tokens.
 *
 * @param logprobs log-probability of each target token, in nats
 * @param entropy of the distribution that each target was drawn from, in nats
 */
public record TokenScores(Tensor logprobs, Tensor entropy) {

    /**
     * Scores targets by logits.
     *
     * @param logits [B, T, V]
     * @param targets int64 [B, T]
     * @param temperature logits are divided by it first
     * @return tensors of [B, T]
     */
    public static TokenScores of(Tensor logits, Tensor targets, double temperature) {
        Tensor scaled = temperature == 1 ? logits : logits.div(new Scalar(temperature));
        Tensor all = scaled.log_softmax(-1);
        Tensor logprobs = all.gather(2, targets.unsqueeze(-1)).squeeze(-1);
        Tensor entropy = all.exp().mul(all).sum(-1).neg();
        return new TokenScores(logprobs, entropy);
    }

    /** Cross-entropy of each target in nats, without the entropy. */
    public static Tensor crossEntropy(Tensor logits, Tensor targets) {
        return logits.log_softmax(-1)
                .gather(2, targets.unsqueeze(-1))
                .squeeze(-1)
                .neg();
    }
}
