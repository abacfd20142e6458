package dev.sluice.cpu.worker;

import dev.sluice.cpu.model.ModelConfig;
import dev.sluice.cpu.model.Tensors;
import dev.sluice.workerapi.Batch;
import dev.sluice.workerapi.WorkerErrorCode;
import dev.sluice.workerapi.WorkerException;
import java.util.List;
import org.bytedeco.pytorch.Tensor;

/**
 * Some samples of a batch as rectangular tensors: B rows, padded on the right to the longest of T tokens.
 *
 * <p>Token columns become [B, T-1]: entry t of a row belongs to the row's token t + 1, the one that position t predicts.
 */
final class PaddedSamples {
    private final Batch batch;
    private final List<Integer> samples;
    private final int length;

    PaddedSamples(Batch batch, List<Integer> samples) {
        this.batch = batch;
        this.samples = samples;
        this.length = samples.stream().mapToInt(batch::length).max().orElseThrow();
    }

    /**
     * Refuses what the model cannot compute.
     *
     * @throws WorkerException with BAD_BATCH naming the first sample or token that is too much
     */
    static void refuseMisfit(Batch batch, ModelConfig config) {
        for (int sample = 0; sample < batch.samples(); sample++) {
            if (batch.length(sample) > config.maxPositions()) {
                throw new WorkerException(
                        WorkerErrorCode.BAD_BATCH,
                        "sample " + sample + " has " + batch.length(sample)
                                + " tokens but the model's positions end at " + config.maxPositions(),
                        "lower rollout.maxResponseTokens");
            }
        }
        for (int t = 0; t < batch.tokens().length; t++) {
            int token = batch.tokens()[t];
            if (token < 0 || token >= config.vocabularySize()) {
                throw new WorkerException(
                        WorkerErrorCode.BAD_BATCH,
                        "token " + t + " is " + token + " but the model's vocabulary has " + config.vocabularySize(),
                        "use the tokenizer of this model");
            }
        }
    }

    /** int64 [B, T]; padding is token 0, which attention never lets earlier positions see. */
    Tensor ids() {
        long[] ids = new long[samples.size() * length];
        for (int row = 0; row < samples.size(); row++) {
            int sample = samples.get(row);
            for (int t = 0; t < batch.length(sample); t++) {
                ids[row * length + t] = batch.tokens()[batch.cuSeqlens()[sample] + t];
            }
        }
        return Tensors.of(ids, samples.size(), length);
    }

    /** A float column of the batch, 0 in the padding. */
    Tensor column(float[] values) {
        float[] padded = new float[samples.size() * (length - 1)];
        for (int row = 0; row < samples.size(); row++) {
            int sample = samples.get(row);
            int targets = batch.length(sample) - 1;
            System.arraycopy(values, batch.cuSeqlens()[sample] + 1, padded, row * (length - 1), targets);
        }
        return Tensors.of(padded, samples.size(), length - 1);
    }

    /**
     * What each token's loss counts: its mask, divided as the normaliser says.
     *
     * @param divisor the normaliser's, above 0
     */
    Tensor weights(double divisor) {
        boolean bySample = batch.header().lossNormaliser().kind() == Batch.LossNormaliser.Kind.SAMPLE;
        float[] padded = new float[samples.size() * (length - 1)];
        for (int row = 0; row < samples.size(); row++) {
            int sample = samples.get(row);
            int start = batch.cuSeqlens()[sample];
            double denominator = bySample ? batch.lossDenominators()[sample] * divisor : divisor;
            for (int t = 1; t < batch.length(sample); t++) {
                padded[row * (length - 1) + t - 1] = (float) (batch.lossMask()[start + t] / denominator);
            }
        }
        return Tensors.of(padded, samples.size(), length - 1);
    }

    /** Puts values of [B, T-1] back to their tokens; each sample's first token and others' stay as they are. */
    void unpad(Tensor values, float[] column) {
        float[] padded = Tensors.floats(values);
        for (int row = 0; row < samples.size(); row++) {
            int sample = samples.get(row);
            int targets = batch.length(sample) - 1;
            System.arraycopy(padded, row * (length - 1), column, batch.cuSeqlens()[sample] + 1, targets);
        }
    }
}
