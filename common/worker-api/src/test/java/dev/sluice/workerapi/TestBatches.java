package dev.sluice.workerapi;

import java.util.EnumMap;
import java.util.Map;

/** A batch of two samples: three and four tokens, with prompts of one and two. */
final class TestBatches {
    private TestBatches() {}

    static Batch twoSamples() {
        Map<Batch.Column, float[]> optional = new EnumMap<>(Batch.Column.class);
        optional.put(Batch.Column.OLD_LOGPROBS, new float[] {0, -1, -2, 0, 0, -3, -4});
        return withMask(new byte[] {0, 1, 1, 0, 0, 1, 1}, new int[] {0, 3, 7}, optional);
    }

    static Batch withMask(byte[] mask, int[] starts, Map<Batch.Column, float[]> optional) {
        return new Batch(
                new Batch.Header("run-1", 4, 2, 0.8, 1, 0, normaliser(), "ab12"),
                new int[] {5, 6, 7, 8, 9, 10, 11},
                starts,
                new int[] {1, 2},
                new long[] {1L << 40, 2},
                new int[] {0, 0},
                new float[] {2, 2},
                new byte[] {0, 1},
                mask,
                new float[] {0, .5f, .5f, 0, 0, -.5f, -.5f},
                new float[] {0, -1, -2, 0, 0, -3, -4.25f},
                new int[] {0, 3, 3, 0, 0, 3, 4},
                new int[] {0, 0, 0, 1, 0, 0},
                optional);
    }

    static Batch.LossNormaliser normaliser() {
        return new Batch.LossNormaliser(Batch.LossNormaliser.Kind.SAMPLE, 2);
    }
}
