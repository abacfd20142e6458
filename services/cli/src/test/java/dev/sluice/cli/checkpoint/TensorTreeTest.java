package dev.sluice.cli.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.checkpoint.DType;
import dev.sluice.checkpoint.TensorEntry;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class TensorTreeTest {
    private final List<TensorEntry> tensors = new ArrayList<>();

    /** The layer kinds of GLM-4.7-Flash: layer 0 is dense, 1 to 46 have 64 experts. */
    @Test
    void foldsTheLayersAndExpertsOfALargeModel() {
        add("model.layers.0.mlp.up_proj.weight", 10);
        for (int layer = 1; layer < 47; layer++) {
            for (int expert = 0; expert < 64; expert++) {
                add("model.layers.%d.mlp.experts.%d.up_proj.weight".formatted(layer, expert), 4);
                add("model.layers.%d.mlp.experts.%d.down_proj.weight".formatted(layer, expert), 4);
            }
        }

        assertThat(drawn(true))
                .containsExactly(
                        "model.layers 5889 23562",
                        "  0.mlp.up_proj.weight U8 [10] 1 10",
                        "  {1..46}.mlp.experts.{0..63} 5888 23552",
                        "    down_proj.weight U8 [4] 2944 11776",
                        "    up_proj.weight U8 [4] 2944 11776");
    }

    @Test
    void keepsBranchesApartThatDiffer() {
        IntStream.of(0, 1, 2, 4, 5).forEach(layer -> add("layers." + layer + ".w", layer == 1 ? 2 : 1));

        assertThat(drawn(true)).containsExactly("layers 5 6", "  {0,2,4,5}.w U8 [1] 4 4", "  1.w U8 [2] 1 2");
    }

    @Test
    void withoutFoldingNumbersAreInNumericOrder() {
        IntStream.of(10, 2, 1).forEach(layer -> add("layers." + layer + ".w", 1));

        assertThat(drawn(false))
                .containsExactly("layers 3 3", "  1.w U8 [1] 1 1", "  2.w U8 [1] 1 1", "  10.w U8 [1] 1 1");
    }

    @Test
    void aTensorMayHaveTheNameOfABranch() {
        add("a", 1);
        add("a.b", 2);

        assertThat(drawn(true)).containsExactly("a U8 [1] 1 1", "  b U8 [2] 1 2");
    }

    @Test
    void aNameOfAMillionDotsDoesNotExhaustTheStack() {
        add(".".repeat(1_000_000), 1);

        assertThat(TensorTree.of(tensors).lines(true)).hasSize(1);
    }

    private void add(String name, long elements) {
        tensors.add(new TensorEntry(name, DType.U8, List.of(elements), 0, elements));
    }

    private List<String> drawn(boolean fold) {
        return TensorTree.of(tensors).lines(fold).stream()
                .map(line -> "%s%s %s%d %d"
                        .formatted(
                                "  ".repeat(line.depth()),
                                line.label(),
                                line.tensor() == null
                                        ? ""
                                        : line.tensor().dtype() + " "
                                                + line.tensor().shape() + " ",
                                line.count(),
                                line.bytes()))
                .toList();
    }
}
