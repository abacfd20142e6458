package dev.sluice.cpu.engine;

/**
 * New tokens of several rows of the cache, all rows with the same count: what one forward pass computes.
 *
 * @param firstRow first of the neighbouring cache rows
 * @param rows how many
 * @param length new tokens a row
 * @param ids row-major
 * @param positions places of the tokens in their sequences, row-major. Surplus places at a row's end may hold anything: their
 *     cache lines are written again before anybody looks at them.
 */
@SuppressWarnings("ArrayRecordComponent")
record Window(int firstRow, int rows, int length, long[] ids, long[] positions) {

    static Window of(int firstRow, int rows, int length) {
        return new Window(firstRow, rows, length, new long[rows * length], new long[rows * length]);
    }

    void set(int row, int column, int id, int position) {
        ids[row * length + column] = id;
        positions[row * length + column] = position;
    }

    /** Position of a row's first new token. */
    int start(int row) {
        return Math.toIntExact(positions[flat(row, 0)]);
    }

    int flat(int row, int column) {
        return row * length + column;
    }

    /** How many cached positions the pass must look at. */
    int keys() {
        long last = 0;
        for (long position : positions) {
            last = Math.max(last, position);
        }
        return Math.toIntExact(last) + 1;
    }
}
