package dev.sluice.cpu.model;

import static org.bytedeco.pytorch.global.torch.cat;
import static org.bytedeco.pytorch.global.torch.embedding;
import static org.bytedeco.pytorch.global.torch.linear;
import static org.bytedeco.pytorch.global.torch.rms_norm;
import static org.bytedeco.pytorch.global.torch.scaled_dot_product_attention;
import static org.bytedeco.pytorch.global.torch.sigmoid;
import static org.bytedeco.pytorch.global.torch.silu;
import static org.bytedeco.pytorch.global.torch.zeros_like;

import org.bytedeco.pytorch.DoubleOptional;
import org.bytedeco.pytorch.LongOptional;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.ScalarTypeOptional;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptional;
import org.bytedeco.pytorch.TensorVector;

/**
 * GLM-4.7-Flash forward over whole sequences, for training and as the reference that faster paths are compared with.
 *
 * <p>A decoder with multi-head latent attention, dense feed-forward in the first layers and routed experts plus shared ones
 * in the others, and one multi-token-prediction layer. Shapes: B sequences, T positions from 0, H hidden, V vocabulary.
 * Sequences of different length are padded on the right: attention is causal, so padding changes nothing before it.
 *
 * <p>Every call allocates in the caller's {@code PointerScope}. Float32 throughout; runs where the weights lie.
 *
 * @see <a href="https://arxiv.org/abs/2405.04434">DeepSeek-V2, section 2.1 (latent attention)</a>
 * @see <a href="https://arxiv.org/abs/2412.19437">DeepSeek-V3, sections 2.1.2 (routing) and 2.2 (multi-token prediction)</a>
 */
public final class Model implements AutoCloseable {
    /** Keeps the division finite when all of a token's expert scores underflow. */
    private static final double ROUTING_EPSILON = 1e-20;

    private final ModelConfig config;
    private final Weights weights;
    private final Rope rope;
    private final DoubleOptional normEpsilon;
    private final DoubleOptional latentNormEpsilon;
    private Probe probe = Probe.NONE;

    /** A model that computes with these weights; it sees updates of them and does not close them. */
    public Model(Weights weights) {
        this.config = weights.config();
        this.weights = weights;
        this.rope = Rope.of(config, config.maxPositions());
        this.normEpsilon = Tensors.keep(new DoubleOptional(config.norms().other()));
        this.latentNormEpsilon = Tensors.keep(new DoubleOptional(config.norms().latent()));
    }

    /** Shows intermediate values of every later forward to {@code observer}. */
    void observe(Probe observer) {
        this.probe = observer;
    }

    public Weights weights() {
        return weights;
    }

    /**
     * Runs the decoder.
     *
     * @param ids int64 [B, T]
     * @return final-norm output, float32 [B, T, H]
     */
    public Tensor hidden(Tensor ids) {
        Turn turn = turn(ids.size(1));
        Tensor x = embedding(weights.get("embed"), ids);
        probe.saw("embed", x);
        for (int layer = 0; layer < config.layers(); layer++) {
            x = decoderLayer(layer, x, turn);
            probe.saw("layer" + layer + ".out", x);
        }
        return norm(x, "norm", normEpsilon);
    }

    /** Scores of the next token: [B, T, H] to [B, T, V], unnormalised. */
    public Tensor logits(Tensor hidden) {
        return linear(hidden, weights.get("head"));
    }

    /**
     * A critic's one output: the head's first row. Its other rows are zero and stay so, so that a critic's weights and moments
     * are stored as a policy's are.
     *
     * @return [B, T] of [B, T, H]
     */
    public Tensor values(Tensor hidden) {
        return linear(hidden, weights.get("head").narrow(0, 0, 1)).squeeze(-1);
    }

    /**
     * Runs the multi-token-prediction layer, which from position t and the token at t + 1 predicts the token at t + 2.
     *
     * @param hidden final-norm output of the decoder at positions t, [B, T, H]
     * @param nextEmbeddings embeddings of the tokens at t + 1, [B, T, H]
     * @return what the head turns into scores of the tokens at t + 2, [B, T, H]
     */
    public Tensor mtpHidden(Tensor hidden, Tensor nextEmbeddings) {
        int layer = config.layers();
        Tensor embedded = norm(nextEmbeddings, name(layer, "embed_norm"), normEpsilon);
        Tensor previous = norm(hidden, name(layer, "hidden_norm"), normEpsilon);
        Tensor joined = linear(cat(new TensorVector(embedded, previous), -1), weights.get(name(layer, "join")));
        Tensor out = decoderLayer(layer, joined, turn(hidden.size(1)));
        return norm(out, name(layer, "head_norm"), normEpsilon);
    }

    private Tensor decoderLayer(int layer, Tensor x, Turn turn) {
        Tensor attended = attention(layer, norm(x, name(layer, "attention_norm"), normEpsilon), turn);
        probe.saw("layer" + layer + ".attn", attended);
        Tensor afterAttention = x.add(attended);
        Tensor y = norm(afterAttention, name(layer, "feed_forward_norm"), normEpsilon);
        Tensor fed = config.isSparse(layer) ? experts(layer, y) : gated(y, name(layer, "gate_up"), name(layer, "down"));
        probe.saw("layer" + layer + ".mlp", fed);
        return afterAttention.add(fed);
    }

    /** Latent attention with keys and values expanded from the latent; every head shares one rotary key. */
    private Tensor attention(int layer, Tensor x, Turn turn) {
        ModelConfig.Attention a = config.attention();
        long batch = x.size(0);
        long length = x.size(1);
        Tensor query = project(layer, "q_b", norm(project(layer, "q_a", x), name(layer, "q_a_norm"), latentNormEpsilon))
                .view(batch, length, a.heads(), a.queryHeadSize());
        Tensor plainQuery = query.narrow(-1, 0, a.plainHeadSize());
        Tensor rotaryQuery = turn.apply(query.narrow(-1, a.plainHeadSize(), a.rotaryHeadSize()));

        Tensor compressed = project(layer, "kv_a", x);
        Tensor latent = norm(compressed.narrow(-1, 0, a.latentRank()), name(layer, "kv_a_norm"), latentNormEpsilon);
        Tensor rotaryKey = turn.apply(
                compressed.narrow(-1, a.latentRank(), a.rotaryHeadSize()).view(batch, length, 1, a.rotaryHeadSize()));
        Tensor expanded =
                project(layer, "kv_b", latent).view(batch, length, a.heads(), a.plainHeadSize() + a.valueHeadSize());
        Tensor plainKey = expanded.narrow(-1, 0, a.plainHeadSize());
        Tensor value = expanded.narrow(-1, a.plainHeadSize(), a.valueHeadSize());

        Tensor queries = cat(new TensorVector(plainQuery, rotaryQuery), -1).transpose(1, 2);
        Tensor sharedKey = rotaryKey.expand(batch, length, a.heads(), a.rotaryHeadSize());
        Tensor keys = cat(new TensorVector(plainKey, sharedKey), -1).transpose(1, 2);
        Tensor context = scaled_dot_product_attention(
                queries,
                keys,
                value.transpose(1, 2),
                new TensorOptional(),
                0.0,
                true,
                new DoubleOptional(a.scale()),
                false);
        Tensor heads = context.transpose(1, 2).reshape(batch, length, (long) a.heads() * a.valueHeadSize());
        return project(layer, "o", heads);
    }

    /**
     * Routed and shared experts.
     *
     * <p>A token goes to the experts with the highest score plus correction bias; its weights are the scores without the
     * bias. All experts are computed for all tokens and the weights of those not chosen are zero: the same sum as sending
     * tokens around, in two matrix products, which is faster while experts are few and small.
     */
    private Tensor experts(int layer, Tensor x) {
        ModelConfig.FeedForward f = config.feedForward();
        Tensor tokens = x.reshape(-1, config.hiddenSize());
        long count = tokens.size(0);
        Tensor routerLogits = project(layer, "router", tokens);
        Tensor scores = sigmoid(routerLogits);
        Tensor chosen = scores.detach()
                .add(weights.get(name(layer, "router_bias")))
                .topk(f.expertsPerToken(), -1, true, false)
                .get1();
        Tensor chosenScores = scores.gather(1, chosen);
        if (f.normaliseWeights()) {
            Tensor sum = chosenScores.sum(new long[] {-1}, true, new ScalarTypeOptional());
            chosenScores = chosenScores.div(sum.add(new Scalar(ROUTING_EPSILON)));
        }
        chosenScores = chosenScores.mul(new Scalar(f.expertScale()));
        probe.saw("layer" + layer + ".router_logits", routerLogits);
        probe.saw("layer" + layer + ".topk_idx", chosen);
        probe.saw("layer" + layer + ".topk_w", chosenScores);

        Tensor share = zeros_like(scores).scatter(1, chosen, chosenScores).unsqueeze(-1);
        Tensor gateAndUp = project(layer, "experts_gate_up", tokens).view(count, f.experts(), 2L * f.expertSize());
        Tensor gate = gateAndUp.narrow(-1, 0, f.expertSize());
        Tensor up = gateAndUp.narrow(-1, f.expertSize(), f.expertSize());
        Tensor weighted = silu(gate).mul(up).mul(share).reshape(count, (long) f.experts() * f.expertSize());
        Tensor routed = project(layer, "experts_down", weighted);
        Tensor shared = gated(tokens, name(layer, "shared_gate_up"), name(layer, "shared_down"));
        return routed.add(shared).view_as(x);
    }

    /** SwiGLU: down(silu(gate(x)) * up(x)). */
    private Tensor gated(Tensor x, String gateUp, String down) {
        Tensor both = linear(x, weights.get(gateUp));
        long size = both.size(-1) / 2;
        return linear(silu(both.narrow(-1, 0, size)).mul(both.narrow(-1, size, size)), weights.get(down));
    }

    private Tensor project(int layer, String weight, Tensor x) {
        return linear(x, weights.get(name(layer, weight)));
    }

    private Tensor norm(Tensor x, String weight, DoubleOptional epsilon) {
        return rms_norm(x, new long[] {x.size(-1)}, new TensorOptional(weights.get(weight)), epsilon);
    }

    private static String name(int layer, String weight) {
        return "layers." + layer + "." + weight;
    }

    private Turn turn(long length) {
        if (length > config.maxPositions()) {
            throw new IllegalArgumentException("a sequence has " + length + " tokens but the model's positions end at "
                    + config.maxPositions() + " (max_position_embeddings)");
        }
        return new Turn(
                rope.cosines().narrow(0, 0, length).unsqueeze(1),
                rope.sines().narrow(0, 0, length).unsqueeze(1));
    }

    /** Rotations of the positions 0..T-1: cosines and sines [T, 1, pairs], for states [B, T, heads, 2 * pairs]. */
    private record Turn(Tensor cosines, Tensor sines) {
        /** Turns the pairs (2i, 2i + 1) and leaves all first members before all second ones, as the caches keep them. */
        Tensor apply(Tensor states) {
            Tensor first = states.slice(-1, new LongOptional(0), new LongOptional(), 2);
            Tensor second = states.slice(-1, new LongOptional(1), new LongOptional(), 2);
            Tensor turnedFirst = first.mul(cosines).sub(second.mul(sines));
            Tensor turnedSecond = second.mul(cosines).add(first.mul(sines));
            return cat(new TensorVector(turnedFirst, turnedSecond), -1);
        }
    }

    @Override
    public void close() {
        rope.close();
        normEpsilon.close();
        latentNormEpsilon.close();
    }
}
