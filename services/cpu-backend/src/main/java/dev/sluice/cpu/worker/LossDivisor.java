package dev.sluice.cpu.worker;

import dev.sluice.workerapi.Batch;

/** What the summed losses of an optimizer step are divided by. */
final class LossDivisor {
    private LossDivisor() {}

    static double of(Batch batch, int optimizerStep) {
        Batch.LossNormaliser normaliser = batch.header().lossNormaliser();
        if (normaliser.value() > 0) {
            return normaliser.value();
        }
        double counted = 0;
        for (int sample = 0; sample < batch.samples(); sample++) {
            if (batch.optimizerStep(sample) == optimizerStep) {
                counted += normaliser.kind() == Batch.LossNormaliser.Kind.SAMPLE ? 1 : maskedTokens(batch, sample);
            }
        }
        return Math.max(1, counted);
    }

    private static int maskedTokens(Batch batch, int sample) {
        int tokens = 0;
        for (int t = batch.cuSeqlens()[sample]; t < batch.cuSeqlens()[sample + 1]; t++) {
            tokens += batch.lossMask()[t];
        }
        return tokens;
    }
}
