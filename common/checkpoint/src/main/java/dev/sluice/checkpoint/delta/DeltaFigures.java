package dev.sluice.checkpoint.delta;

/**
 * What a delta amounts to.
 *
 * @param changedBytes bytes that differ, as slime counts them: a changed bf16 weight has one or two
 * @param totalBytes bytes of all tensors that were compared
 * @param wireBytes size of the safetensors files of the delta, 0 when nothing changed
 */
public record DeltaFigures(int changedTensors, int totalTensors, long changedBytes, long totalBytes, long wireBytes) {
    /** Share of bytes that changed, 0 to 1: slime's {@code perf/update_weights_density}. */
    public double density() {
        return (double) changedBytes / Math.max(totalBytes, 1);
    }
}
