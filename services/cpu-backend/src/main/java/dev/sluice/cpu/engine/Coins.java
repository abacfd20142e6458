package dev.sluice.cpu.engine;

/**
 * Uniform draws of one request: a draw depends on the request's seed and on the place of the token it decides, never on what
 * else runs. So the same prompt, seed and weights give the same tokens in every batch, as far as float arithmetic does.
 *
 * @param seed any number
 */
record Coins(long seed) {

    /** What a draw decides; draws for one token are independent of each other. */
    enum Use {
        SAMPLE,
        ACCEPT,
        RESAMPLE,
        DRAFT
    }

    private static final long GOLDEN_GAMMA = 0x9E3779B97F4A7C15L;

    /** A draw in [0, 1) for the output token with this index. */
    double at(int outputIndex, Use use) {
        long counter = (long) outputIndex * Use.values().length + use.ordinal() + 1;
        // The counter-th output of a SplitMix64 generator whose start is the mixed seed.
        return (mix(mix(seed) + counter * GOLDEN_GAMMA) >>> 11) * 0x1.0p-53;
    }

    /** The finaliser of SplitMix64 (Steele, Lea and Flood 2014; constants of Stafford's variant 13). */
    private static long mix(long state) {
        long z = state;
        z = (z ^ (z >>> 30)) * 0xBF58476D1CE4E5B9L;
        z = (z ^ (z >>> 27)) * 0x94D049BB133111EBL;
        return z ^ (z >>> 31);
    }
}
