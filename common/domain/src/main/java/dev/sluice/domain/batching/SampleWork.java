package dev.sluice.domain.batching;

import dev.sluice.events.Plan.ModelFigures;

/**
 * What a sample costs to compute, floating-point operations of a forward pass: linear in its tokens, and quadratic for attention
 * scores. Training costs three times as much, which changes no balance.
 *
 * @param perToken operations of a token
 * @param perSquaredToken operations of the scores, by the square of the sample's tokens
 */
public record SampleWork(double perToken, double perSquaredToken) {
    /** Every token costs the same. */
    public static final SampleWork TOKENS = new SampleWork(1, 0);

    /** As the plan counts them; by tokens where it does not. */
    public static SampleWork of(ModelFigures model) {
        return model.flopsPerToken() > 0 ? new SampleWork(model.flopsPerToken(), model.flopsPerSquaredToken()) : TOKENS;
    }

    /** @param tokens of the sample, prompt included */
    public double of(int tokens) {
        return perToken * tokens + perSquaredToken * tokens * tokens;
    }
}
