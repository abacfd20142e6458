package dev.sluice.rollout.sampling;

/** A sample's own seed, from its group's seed and its index alone, so that another attempt draws the same. */
final class SampleSeed {
    private static final long GOLDEN_GAMMA = 0x9E3779B97F4A7C15L;
    /** Stock SGLang keeps seeds in int32. */
    private static final long NON_NEGATIVE_INT = 0x7FFF_FFFFL;

    private SampleSeed() {}

    /**
     * Output number {@code index} of SplitMix64 started at the group's seed, cut to 31 bits.
     *
     * @see <a href="https://prng.di.unimi.it/splitmix64.c">splitmix64.c</a>
     */
    static long of(long groupSeed, int index) {
        return mixed(groupSeed + (index + 1) * GOLDEN_GAMMA);
    }

    /** Where a response goes on after {@code begun} tokens, other draws than those that began it. */
    static long of(long groupSeed, int index, int begun) {
        return begun == 0 ? of(groupSeed, index) : of(of(groupSeed, index), begun);
    }

    private static long mixed(long z) {
        z = (z ^ (z >>> 30)) * 0xBF58476D1CE4E5B9L;
        z = (z ^ (z >>> 27)) * 0x94D049BB133111EBL;
        return (z ^ (z >>> 31)) & NON_NEGATIVE_INT;
    }
}
