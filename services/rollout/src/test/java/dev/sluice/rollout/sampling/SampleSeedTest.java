package dev.sluice.rollout.sampling;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class SampleSeedTest {
    @Test
    void seedsAreTheLowBitsOfSplitMix64() {
        // Given: the first outputs for the seed 1234567, as rosettacode.org/wiki/Pseudo-random_numbers/Splitmix64 lists
        // them
        long[] reference = {6457827717110365317L, 3203168211198807973L, Long.parseUnsignedLong("9817491932198370423")};
        // When
        long[] seeds = IntStream.range(0, 3)
                .mapToLong(index -> SampleSeed.of(1234567, index))
                .toArray();
        // Then
        assertThat(seeds)
                .containsExactly(
                        reference[0] % (1L << 31),
                        reference[1] % (1L << 31),
                        Long.remainderUnsigned(reference[2], 1L << 31));
    }
}
