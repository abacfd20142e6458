package dev.sluice.cpu.worker;

import dev.sluice.workerapi.Batch;
import java.util.Arrays;
import java.util.Map;
import java.util.Random;

/** Random but valid batches for the tiny model: samples of different length, two optimizer steps where asked for. */
final class Batches {
    static final int VOCABULARY = 300;
    private static final int SAMPLES = 6;

    private Batches() {}

    /** The batch of a step; the same step always gives the same batch. */
    static Batch of(String runId, int step, int optimizerSteps) {
        Random random = new Random(1000L + step);
        int[] starts = new int[SAMPLES + 1];
        int[] promptLengths = new int[SAMPLES];
        for (int i = 0; i < SAMPLES; i++) {
            promptLengths[i] = 3 + random.nextInt(4);
            starts[i + 1] = starts[i] + promptLengths[i] + 4 + random.nextInt(9);
        }
        int total = starts[SAMPLES];
        int[] tokens = random.ints(total, 0, VOCABULARY).toArray();
        byte[] mask = new byte[total];
        float[] advantages = new float[total];
        float[] rollout = new float[total];
        float[] denominators = new float[SAMPLES];
        int[] schedule = new int[3 * SAMPLES];
        for (int i = 0; i < SAMPLES; i++) {
            int first = starts[i] + promptLengths[i];
            Arrays.fill(mask, first, starts[i + 1], (byte) 1);
            Arrays.fill(advantages, first, starts[i + 1], (float) random.nextGaussian());
            Arrays.fill(rollout, first, starts[i + 1], -6);
            denominators[i] = starts[i + 1] - first;
            schedule[3 * i] = i % optimizerSteps;
        }
        Batch.LossNormaliser normaliser = new Batch.LossNormaliser(Batch.LossNormaliser.Kind.SAMPLE, 0);
        return new Batch(
                new Batch.Header(runId, step, 0, 1, 1, 0, normaliser),
                tokens,
                starts,
                promptLengths,
                new long[SAMPLES],
                new int[SAMPLES],
                denominators,
                new byte[SAMPLES],
                mask,
                advantages,
                rollout,
                new int[total],
                schedule,
                Map.of());
    }

    /** The same batch with further columns. */
    static Batch with(Batch batch, Map<Batch.Column, float[]> columns) {
        return new Batch(
                batch.header(),
                batch.tokens(),
                batch.cuSeqlens(),
                batch.promptLengths(),
                batch.sampleIds(),
                batch.groups(),
                batch.lossDenominators(),
                batch.truncated(),
                batch.lossMask(),
                batch.advantages(),
                batch.rolloutLogprobs(),
                batch.weightVersions(),
                batch.schedule(),
                columns);
    }

    /** A prompt of one token without an answer, and one with an answer of one token. */
    static Batch ofShortSamples(String runId, int step) {
        Batch.LossNormaliser normaliser = new Batch.LossNormaliser(Batch.LossNormaliser.Kind.TOKEN, 0);
        return new Batch(
                new Batch.Header(runId, step, 0, 1, 1, 0, normaliser),
                new int[] {7, 8, 9},
                new int[] {0, 1, 3},
                new int[] {1, 1},
                new long[2],
                new int[2],
                new float[2],
                new byte[2],
                new byte[] {0, 0, 1},
                new float[] {0, 0, 1},
                new float[] {0, 0, -6},
                new int[3],
                new int[6],
                Map.of());
    }
}
