package dev.sluice.domain.plan;

import dev.sluice.domain.plan.ModelShape.Attention;
import dev.sluice.domain.plan.ModelShape.FeedForward;
import dev.sluice.events.Plan.ModelFigures;

/**
 * Counts parameters exactly. Buffers are no parameters: the router's correction bias is left out.
 *
 * @see <a href="https://arxiv.org/abs/2412.19437">DeepSeek-V3 report, sections 2.1 and 2.2, for the layers counted</a>
 */
record ParameterCount(ModelShape shape) {

    /** The figures of a plan. Active parameters count the output layer, but not the embedding, which is a look-up. */
    ModelFigures figures() {
        return new ModelFigures(shape.modelType(), total(), active(), mtp(), shape.maxContextTokens());
    }

    long total() {
        int dense = shape.feedForward().denseLayers();
        return 2 * table() + shape.hiddenSize() + dense * denseLayer() + (shape.layers() - dense) * expertLayer();
    }

    long active() {
        FeedForward feedForward = shape.feedForward();
        long idle = (long) (feedForward.experts() - feedForward.expertsPerToken()) * expert();
        return total() - table() - (shape.layers() - feedForward.denseLayers()) * idle;
    }

    /** One expert layer, the projection of [embedding; hidden state], and three norms; its copies of both tables not. */
    long mtp() {
        long hidden = shape.hiddenSize();
        return shape.mtpLayers() * (expertLayer() + 2 * hidden * hidden + 3 * hidden);
    }

    private long table() {
        return (long) shape.vocabularySize() * shape.hiddenSize();
    }

    private long denseLayer() {
        return attention()
                + norms()
                + 3L * shape.hiddenSize() * shape.feedForward().denseSize();
    }

    private long expertLayer() {
        FeedForward feedForward = shape.feedForward();
        long router = (long) feedForward.experts() * shape.hiddenSize();
        return attention() + norms() + router + (feedForward.experts() + feedForward.sharedExperts()) * expert();
    }

    private long expert() {
        return 3L * shape.hiddenSize() * shape.feedForward().expertSize();
    }

    private long norms() {
        return 2L * shape.hiddenSize();
    }

    private long attention() {
        Attention attention = shape.attention();
        long hidden = shape.hiddenSize();
        long heads = attention.heads();
        long queryHead = attention.plainHeadSize() + attention.rotaryHeadSize();
        long query = hidden * attention.queryRank() + attention.queryRank() + attention.queryRank() * heads * queryHead;
        long latent = hidden * (attention.latentRank() + attention.rotaryHeadSize())
                + attention.latentRank()
                + attention.latentRank() * heads * (attention.plainHeadSize() + attention.valueHeadSize());
        return query + latent + heads * attention.valueHeadSize() * hidden;
    }
}
