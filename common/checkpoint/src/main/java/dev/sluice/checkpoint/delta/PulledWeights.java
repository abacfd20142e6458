package dev.sluice.checkpoint.delta;

/**
 * What a pull did.
 *
 * @param restarted the local copy was made anew from a whole checkpoint, because it was missing, half patched, newer, or behind one
 * @param deltas how many were applied after that
 * @param wireBytes size of their files
 */
public record PulledWeights(WeightVersion version, boolean restarted, int deltas, long wireBytes) {}
