package dev.sluice.domain.training;

/**
 * The generator SplitMix64. It is written out because the order of prompts is part of what a run means: it must not change
 * with a library.
 *
 * @see <a href="https://doi.org/10.1145/2714064.2660195">Steele, Lea, Flood: Fast splittable pseudorandom number
 *     generators, figure 17</a>
 */
final class SplitMix64 {
    private long state;

    SplitMix64(long seed) {
        this.state = seed;
    }

    long next() {
        state += 0x9E3779B97F4A7C15L;
        long z = state;
        z = (z ^ (z >>> 30)) * 0xBF58476D1CE4E5B9L;
        z = (z ^ (z >>> 27)) * 0x94D049BB133111EBL;
        return z ^ (z >>> 31);
    }

    /** Uniform from 0 to below the bound: the high word of the 128-bit product, whose bias is below bound / 2^64. */
    int below(int bound) {
        return (int) Math.unsignedMultiplyHigh(next(), bound);
    }

    /** Mixes values into one seed; each position counts. */
    static long mix(long... values) {
        long mixed = 0;
        for (long value : values) {
            mixed = new SplitMix64(mixed ^ value).next();
        }
        return mixed;
    }
}
