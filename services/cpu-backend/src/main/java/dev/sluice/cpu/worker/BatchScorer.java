package dev.sluice.cpu.worker;

import dev.sluice.cpu.model.Model;
import dev.sluice.cpu.model.TokenScores;
import dev.sluice.workerapi.Batch;
import java.util.List;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Tensor;

/** What a model says about a batch's tokens, without gradients. */
@SuppressWarnings("try") // scopes and guards work by being open
final class BatchScorer {
    private final Model model;

    BatchScorer(Model model) {
        this.model = model;
    }

    /**
     * Columns by token; 0 for each sample's first, which nothing precedes.
     *
     * @param logprobs at the batch's temperature, nats
     * @param entropy of the distribution that each token was drawn from, nats
     */
    record Columns(float[] logprobs, float[] entropy) {}

    Columns score(Batch batch) {
        PaddedSamples.refuseMisfit(batch, model.weights().config());
        int tokens = batch.tokens().length;
        Columns columns = new Columns(new float[tokens], new float[tokens]);
        for (List<Schedule.Slice> step : Schedule.of(batch)) {
            for (Schedule.Slice slice : step) {
                try (NoGradGuard noGrad = new NoGradGuard();
                        PointerScope scope = new PointerScope()) {
                    PaddedSamples samples = new PaddedSamples(batch, slice.samples());
                    Tensor ids = samples.ids();
                    TokenScores scores =
                            scores(model, model.hidden(ids), ids, batch.header().temperature());
                    samples.unpad(scores.logprobs(), columns.logprobs);
                    samples.unpad(scores.entropy(), columns.entropy);
                }
            }
        }
        return columns;
    }

    /**
     * A critic's values by token: what it expects when all before the token is known; 0 for each sample's first.
     */
    float[] values(Batch batch) {
        PaddedSamples.refuseMisfit(batch, model.weights().config());
        float[] values = new float[batch.tokens().length];
        for (List<Schedule.Slice> step : Schedule.of(batch)) {
            for (Schedule.Slice slice : step) {
                try (NoGradGuard noGrad = new NoGradGuard();
                        PointerScope scope = new PointerScope()) {
                    PaddedSamples samples = new PaddedSamples(batch, slice.samples());
                    samples.unpad(values(model, samples.ids()), values);
                }
            }
        }
        return values;
    }

    /** Values of each row's tokens but the first: ids [B, T] to [B, T-1]. */
    static Tensor values(Model critic, Tensor ids) {
        return critic.values(critic.hidden(ids).narrow(1, 0, ids.size(1) - 1));
    }

    /** Scores each row's tokens but the first: [B, T, H] and ids [B, T] to [B, T-1]. */
    static TokenScores scores(Model model, Tensor hidden, Tensor ids, double temperature) {
        long targets = ids.size(1) - 1;
        Tensor logits = model.logits(hidden.narrow(1, 0, targets));
        return TokenScores.of(logits, ids.narrow(1, 1, targets), temperature);
    }
}
