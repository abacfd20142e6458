package dev.sluice.domain.batching;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** Expected parts: slime's get_seqlen_balanced_partitions, run on the same numbers. */
class KarmarkarKarpTest {
    private static final double[] TENS = {10, 20, 30, 40, 50, 60, 70, 80};

    @Test
    void partsOfEqualSizeAreThoseOfSlime() {
        assertThat(KarmarkarKarp.ofEqualSize(TENS, 4))
                .containsExactly(List.of(0, 7), List.of(1, 6), List.of(2, 5), List.of(3, 4));
    }

    @Test
    void partsOfAnySizeAreThoseOfSlime() {
        assertThat(KarmarkarKarp.partition(TENS, 3)).containsExactly(List.of(1, 4, 5), List.of(0, 3, 6), List.of(2, 7));
    }

    @Test
    void itemsThatDoNotDivideAreRefused() {
        assertThatThrownBy(() -> KarmarkarKarp.ofEqualSize(TENS, 3)).hasMessage("8 items do not divide into 3 parts");
    }

    @Test
    void everyItemIsInOnePartAndNoPartIsWorseThanTheHeaviestItemAboveTheMean() {
        long seed = Long.getLong("sluice.seed", System.nanoTime());
        System.out.println("seed " + seed + " (-Dsluice.seed=...)");
        Random random = new Random(seed);
        for (int run = 0; run < 200; run++) {
            int parts = 1 + random.nextInt(6);
            double[] weights =
                    random.doubles(parts * (1 + random.nextInt(8)), 0, 1000).toArray();

            List<List<Integer>> partition = KarmarkarKarp.partition(weights, parts);

            assertThat(partition.stream().flatMap(List::stream))
                    .containsExactlyInAnyOrderElementsOf(
                            IntStream.range(0, weights.length).boxed().toList());
            double mean = IntStream.range(0, weights.length)
                            .mapToDouble(i -> weights[i])
                            .sum()
                    / parts;
            double heaviest = IntStream.range(0, weights.length)
                    .mapToDouble(i -> weights[i])
                    .max()
                    .orElseThrow();
            assertThat(partition)
                    .allSatisfy(part -> assertThat(
                                    part.stream().mapToDouble(i -> weights[i]).sum())
                            .isLessThanOrEqualTo(mean + heaviest));
        }
    }
}
