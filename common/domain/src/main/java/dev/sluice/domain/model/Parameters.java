package dev.sluice.domain.model;

import dev.sluice.domain.model.ModelSpec.Experts;
import dev.sluice.domain.model.ModelSpec.GroupedQueryAttention;
import dev.sluice.domain.model.ModelSpec.Indexer;
import dev.sluice.domain.model.ModelSpec.LatentAttention;
import dev.sluice.domain.model.ModelSpec.LinearAttention;
import dev.sluice.events.Plan.ModelFigures;
import java.util.stream.IntStream;

/**
 * Counts parameters exactly, apart by how Megatron and SGLang spread them. Buffers are no parameters: the router's
 * correction bias is left out.
 *
 * @see <a href="https://arxiv.org/abs/2412.19437">DeepSeek-V3 report, sections 2.1 and 2.2, for the layers counted</a>
 */
public record Parameters(ModelSpec model) {

    /**
     * Parameters of one layer or of a part of it.
     *
     * @param sharded split over tensor-parallel ranks
     * @param replicated whole on each rank: norms, routers, and MLA's projections into its bottlenecks, which Megatron
     *     duplicates (multi_latent_attention.py)
     * @param experts routed experts, split over expert-parallel ranks
     */
    public record Split(long sharded, long replicated, long experts) {
        public static final Split NONE = new Split(0, 0, 0);

        public Split plus(Split other) {
            return new Split(sharded + other.sharded, replicated + other.replicated, experts + other.experts);
        }

        public long total() {
            return sharded + replicated + experts;
        }
    }

    /** The figures of a plan. */
    public ModelFigures figures() {
        return new ModelFigures(
                model.modelType(),
                total(),
                active(),
                mtp(),
                model.maxContextTokens(),
                2.0 * active(),
                scoresPerSquaredToken());
    }

    /**
     * Operations of causal attention scores and of what they weigh, by the square of a sequence's tokens: each token sees half of
     * the others on average, and a multiplication with its addition counts two.
     */
    private double scoresPerSquaredToken() {
        double width = switch (model.attention()) {
            case LatentAttention latent ->
                (double) latent.heads() * (latent.plainHeadSize() + latent.rotaryHeadSize() + latent.valueHeadSize());
            case GroupedQueryAttention grouped -> 2.0 * grouped.heads() * grouped.headSize();
        };
        long layers = IntStream.range(0, model.layers())
                .filter(layer -> !model.linear(layer))
                .count();
        return width * layers;
    }

    /** One decoder layer, counted from 0: attention, feed-forward and norms. */
    public Split layer(int layer) {
        return attention(layer).plus(feedForward(layer)).plus(norms());
    }

    /** All of the model but MTP layers. */
    public long total() {
        return layers() + (model.tiedEmbeddings() ? 1 : 2) * embedding() + model.hiddenSize();
    }

    private long layers() {
        long layers = 0;
        for (int layer = 0; layer < model.layers(); layer++) {
            layers += layer(layer).total();
        }
        return layers;
    }

    /**
     * What a token passes through: its layers, with the experts it uses, and the output layer. The embedding is a look-up;
     * the final norm is left out, as in the table of recipes that these figures are compared with.
     */
    public long active() {
        return activeWithoutEmbeddings() + embedding();
    }

    /** As {@link #active}, without the output layer. */
    public long activeWithoutEmbeddings() {
        Experts experts = model.experts();
        long idle = experts == null ? 0 : model.sparseLayers() * (experts.count() - experts.perToken()) * expert();
        return layers() - idle;
    }

    /**
     * One MTP layer: full attention, the last layer's feed-forward, the projection of [embedding; hidden state], three
     * norms more; no tables. In a model without MTP layers, what one would have.
     */
    public Split mtpLayer() {
        long hidden = model.hiddenSize();
        return fullAttention()
                .plus(feedForward(model.layers() - 1))
                .plus(norms())
                .plus(new Split(2 * hidden * hidden, 3 * hidden, 0));
    }

    /** All MTP layers of the checkpoint. */
    public long mtp() {
        return model.mtpLayers() * mtpLayer().total();
    }

    /** The embedding, or an output layer of its own. */
    public long embedding() {
        return (long) model.vocabularySize() * model.hiddenSize();
    }

    /** One routed expert. */
    public long expert() {
        Experts experts = model.experts();
        if (experts == null) {
            return 0;
        }
        long bias = experts.biased() ? 2L * experts.size() + model.hiddenSize() : 0;
        return 3L * model.hiddenSize() * experts.size() + bias;
    }

    /** Attention of a layer, counted from 0, without its norms. */
    public Split attention(int layer) {
        LinearAttention linear = model.linearAttention();
        if (linear != null && model.linear(layer)) {
            return linear(linear);
        }
        return fullAttention();
    }

    private Split norms() {
        return new Split(0, (model.postNorms() ? 4L : 2L) * model.hiddenSize(), 0);
    }

    private Split fullAttention() {
        return switch (model.attention()) {
            case GroupedQueryAttention grouped -> grouped(grouped);
            case LatentAttention latent -> latent(latent);
        };
    }

    private Split grouped(GroupedQueryAttention attention) {
        long hidden = model.hiddenSize();
        long queries = (long) attention.heads() * attention.headSize();
        long keys = (long) attention.groups() * attention.headSize();
        long bias =
                (attention.queryKeyValueBias() ? queries + 2 * keys : 0) + (attention.sinks() ? attention.heads() : 0);
        long norm = switch (attention.norm()) {
            case NONE -> 0;
            case HEAD -> 2L * attention.headSize();
            case FULL -> queries + keys;
        };
        long sharded = hidden * (queries * (attention.outputGate() ? 2 : 1) + 2 * keys) + queries * hidden + bias;
        // The output projection is split over its inputs, so each rank holds its whole bias.
        return new Split(sharded, norm + (attention.outputBias() ? hidden : 0), 0);
    }

    private Split latent(LatentAttention attention) {
        long hidden = model.hiddenSize();
        long heads = attention.heads();
        long queryHead = attention.plainHeadSize() + attention.rotaryHeadSize();
        long rank = attention.queryRank();
        long query = (rank == 0 ? hidden : rank) * heads * queryHead;
        long latent = attention.latentRank() * heads * (attention.plainHeadSize() + attention.valueHeadSize());
        long output = heads * attention.valueHeadSize() * hidden;
        long down = hidden * rank
                + rank
                + hidden * (attention.latentRank() + attention.rotaryHeadSize())
                + attention.latentRank();
        long bias = attention.biased() ? rank + attention.latentRank() + attention.rotaryHeadSize() + hidden : 0;
        return new Split(query + latent + output, down + bias + indexer(rank), 0);
    }

    private long indexer(long queryRank) {
        Indexer indexer = model.indexer();
        if (indexer == null) {
            return 0;
        }
        long hidden = model.hiddenSize();
        return queryRank * indexer.heads() * indexer.headSize()
                + hidden * indexer.headSize()
                + 2L * indexer.headSize()
                + hidden * indexer.heads();
    }

    private Split linear(LinearAttention attention) {
        long hidden = model.hiddenSize();
        long keys = (long) attention.keyHeads() * attention.keyHeadSize();
        long values = (long) attention.valueHeads() * attention.valueHeadSize();
        long sharded = hidden * (2 * keys + 2 * values) + 2 * hidden * attention.valueHeads() + values * hidden;
        long replicated = (2 * keys + values) * attention.convolutionWidth()
                + 2L * attention.valueHeads()
                + attention.valueHeadSize();
        return new Split(sharded, replicated, 0);
    }

    private Split feedForward(int layer) {
        long hidden = model.hiddenSize();
        Experts experts = model.experts();
        if (experts == null || !model.sparse(layer)) {
            return new Split(3 * hidden * model.denseSize(), 0, 0);
        }
        long router = experts.count() * hidden
                + (experts.biased() ? experts.count() : 0)
                + (experts.sharedGated() ? hidden : 0);
        return new Split(3 * hidden * experts.sharedSize(), router, experts.count() * expert());
    }
}
