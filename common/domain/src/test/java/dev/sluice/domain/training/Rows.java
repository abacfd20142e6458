package dev.sluice.domain.training;

import java.util.stream.IntStream;

/** Batches of samples that have a prompt of one token each. */
final class Rows {
    private Rows() {}

    static BatchRows of(int[] groups, double[] rewards, byte[][] masks) {
        int samples = masks.length;
        int[] starts = new int[samples + 1];
        for (int i = 0; i < samples; i++) {
            starts[i + 1] = starts[i] + 1 + masks[i].length;
        }
        int total = starts[samples];
        byte[] mask = new byte[total];
        int[] prompts = new int[samples];
        for (int i = 0; i < samples; i++) {
            prompts[i] = 1;
            System.arraycopy(masks[i], 0, mask, starts[i] + 1, masks[i].length);
        }
        return new BatchRows(
                new int[total],
                starts,
                prompts,
                new long[samples],
                groups,
                new float[samples],
                new byte[samples],
                mask,
                new float[total],
                new float[total],
                new int[total],
                new int[3 * samples],
                rewards);
    }

    /** Entries of the responses' tokens one after the other. */
    static float[] responses(BatchRows rows, float[] column) {
        int[] places = IntStream.range(0, rows.samples())
                .flatMap(row -> IntStream.range(rows.cuSeqlens()[row] + 1, rows.cuSeqlens()[row + 1]))
                .toArray();
        float[] values = new float[places.length];
        for (int i = 0; i < values.length; i++) {
            values[i] = column[places[i]];
        }
        return values;
    }

    /** A column of the responses' values, 0 at prompts. */
    static float[] column(BatchRows rows, double[][] responses) {
        float[] column = new float[rows.tokens().length];
        for (int row = 0; row < rows.samples(); row++) {
            for (int i = 0; i < responses[row].length; i++) {
                column[rows.cuSeqlens()[row] + 1 + i] = (float) responses[row][i];
            }
        }
        return column;
    }
}
