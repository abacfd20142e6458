package dev.sluice.domain.cost;

import dev.sluice.domain.model.ModelSpec;
import dev.sluice.domain.model.ModelSpec.Experts;
import dev.sluice.domain.model.ModelSpec.GroupedQueryAttention;
import dev.sluice.domain.model.ModelSpec.LatentAttention;
import dev.sluice.domain.model.Parameters;
import dev.sluice.domain.model.Parameters.Split;

/**
 * Floating-point operations of a forward pass for one token.
 *
 * @param dense of one layer's attention projections and scores, dense blocks, routers and shared experts, by layer
 * @param experts of one layer's routed experts, by layer
 * @param head of the output layer
 * @see <a href="https://github.com/THUDM/slime/blob/main/slime/utils/flops_utils.py">slime's flops_utils, the same terms</a>
 */
record Flops(double[] dense, double[] experts, double head) {

    /** @param contextTokens mean length of a sequence; a token sees half of it */
    static Flops of(ModelSpec model, double contextTokens) {
        Parameters parameters = new Parameters(model);
        double[] dense = new double[model.layers()];
        double[] routed = new double[model.layers()];
        Experts experts = model.experts();
        for (int layer = 0; layer < model.layers(); layer++) {
            Split split = parameters.layer(layer);
            dense[layer] = 2.0 * (split.sharded() + split.replicated()) + scores(model, layer, contextTokens);
            routed[layer] = experts != null && model.sparse(layer) ? 2.0 * experts.perToken() * parameters.expert() : 0;
        }
        return new Flops(dense, routed, 2.0 * parameters.embedding());
    }

    private static double scores(ModelSpec model, int layer, double contextTokens) {
        if (model.linear(layer)) {
            return 0; // its state does not grow with the sequence
        }
        double width = switch (model.attention()) {
            case LatentAttention latent ->
                (double) latent.heads() * (latent.plainHeadSize() + latent.rotaryHeadSize() + latent.valueHeadSize());
            case GroupedQueryAttention grouped -> 2.0 * grouped.heads() * grouped.headSize();
        };
        return 2 * width * contextTokens / 2;
    }

    /** Of these layers, the last excluded, without the output layer. */
    double between(int first, int end) {
        double sum = 0;
        for (int layer = first; layer < end; layer++) {
            sum += dense[layer] + experts[layer];
        }
        return sum;
    }

    double allDense() {
        return sum(dense) + head;
    }

    double allExperts() {
        return sum(experts);
    }

    private static double sum(double[] values) {
        double sum = 0;
        for (double value : values) {
            sum += value;
        }
        return sum;
    }
}
