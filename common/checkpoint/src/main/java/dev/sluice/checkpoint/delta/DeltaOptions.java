package dev.sluice.checkpoint.delta;

/**
 * How to write a delta.
 *
 * @param threads how many tensors are compared at once; each takes about 1 MB and an eighth of its tensor with {@link DeltaEncoding#OVERWRITE}
 */
public record DeltaOptions(DeltaEncoding encoding, DeltaChecksum checksum, int threads) {
    public DeltaOptions {
        if (threads < 1) {
            throw new IllegalArgumentException("at least one thread is needed, not " + threads);
        }
    }

    /** slime's defaults, on all processors. */
    public static DeltaOptions standard() {
        return new DeltaOptions(
                DeltaEncoding.XOR, DeltaChecksum.XXH3_128, Runtime.getRuntime().availableProcessors());
    }
}
