package dev.sluice.checkpoint.delta;

import static org.assertj.core.api.Assertions.assertThat;

import com.dynatrace.hash4j.hashing.Hashing;
import java.util.Arrays;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** Expected values from hash4j, which does not share its code with ours beyond 240 bytes. */
class Xxh3Test {
    @Test
    void everyLengthAroundShortInputStripesAndBlocksHasTheHashOfHash4j() {
        Random random = new Random(1);
        for (int length : IntStream.rangeClosed(0, 2200).toArray()) {
            byte[] bytes = new byte[length];
            random.nextBytes(bytes);

            Xxh3 hash = new Xxh3();
            hash.update(bytes, length);

            assertThat(hash.finish())
                    .as("%d bytes", length)
                    .isEqualTo(Hashing.xxh3_128().hashBytesTo128Bits(bytes));
        }
    }

    @Test
    void piecesOfAnySizeHaveTheHashOfTheWhole() {
        long seed = System.nanoTime();
        System.out.println("seed " + seed);
        Random random = new Random(seed);
        for (int most : new int[] {1, 63, 1024, 1100, 5000, 16384, 70_000}) {
            byte[] bytes = new byte[random.nextInt(200) + 3 * most];
            random.nextBytes(bytes);

            Xxh3 hash = new Xxh3();
            for (int taken = 0; taken < bytes.length; ) {
                int piece = Math.min(1 + random.nextInt(most), bytes.length - taken);
                hash.update(Arrays.copyOfRange(bytes, taken, taken + piece), piece);
                taken += piece;
            }

            assertThat(hash.finish())
                    .as("seed %d, pieces up to %d", seed, most)
                    .isEqualTo(Hashing.xxh3_128().hashBytesTo128Bits(bytes));
        }
    }
}
