package dev.sluice.checkpoint;

/**
 * How an output is written.
 *
 * @param workers threads that write
 * @param stretchBytes what one thread writes at a time, at least; so much work per thread a crash can undo
 */
record WriteSettings(int workers, long stretchBytes) {
    private static final long STRETCH_BYTES = 64L << 20;

    /** For sources that any thread may read. */
    static final WriteSettings PARALLEL = new WriteSettings(Workers.byDefault(), STRETCH_BYTES);

    /** For sources that only the caller's thread may read. */
    static final WriteSettings SINGLE = new WriteSettings(1, STRETCH_BYTES);
}
