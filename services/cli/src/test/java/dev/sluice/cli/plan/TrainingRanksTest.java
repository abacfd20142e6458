package dev.sluice.cli.plan;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.events.Plan.TrainingLayout;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.IntUnaryOperator;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/**
 * Groups of ranks against those that Megatron-LM states: in the docstring of {@code initialize_model_parallel}
 * (megatron/core/parallel_state.py), and for the layouts of {@code test_rank_generator_for_tp_dp_pp}
 * (tests/unit_tests/test_parallel_state.py), worked out by hand from the ranges that its golden function steps through.
 */
class TrainingRanksTest {
    @Test
    void sixteenGpusWithTp2Pp4AreGroupedAsMegatronDocuments() {
        TrainingRanks ranks = ranks(16, 2, 4, 1, 1, 1);

        assertThat(groups(ranks, ranks::pp, ranks::cp, ranks::tp))
                .containsExactly(
                        List.of(0, 2),
                        List.of(1, 3),
                        List.of(4, 6),
                        List.of(5, 7),
                        List.of(8, 10),
                        List.of(9, 11),
                        List.of(12, 14),
                        List.of(13, 15));
        assertThat(groups(ranks, ranks::pp, ranks::dp, ranks::cp))
                .contains(List.of(0, 1), List.of(2, 3), List.of(14, 15))
                .hasSize(8);
        assertThat(groups(ranks, ranks::dp, ranks::cp, ranks::tp))
                .containsExactly(
                        List.of(0, 4, 8, 12), List.of(1, 5, 9, 13), List.of(2, 6, 10, 14), List.of(3, 7, 11, 15));
    }

    @Test
    void contextGroupsOfEightGpusWithTp4Cp2AreThoseThatMegatronDocuments() {
        TrainingRanks ranks = ranks(8, 4, 1, 2, 1, 1);

        assertThat(groups(ranks, ranks::pp, ranks::dp, ranks::tp))
                .containsExactly(List.of(0, 4), List.of(1, 5), List.of(2, 6), List.of(3, 7));
    }

    /** Megatron's test, layout (8 nodes, 8 GPUs, TP2, PP2, CP2, EP4): a stage is 32 ranks. */
    @Test
    void sixtyFourGpusAreGroupedAsInMegatronsGoldenTest() {
        TrainingRanks ranks = ranks(64, 2, 2, 2, 4, 2);

        assertThat(groups(ranks, ranks::pp, ranks::cp, ranks::tp))
                .hasSize(8)
                .startsWith(List.of(0, 4, 8, 12, 16, 20, 24, 28), List.of(1, 5, 9, 13, 17, 21, 25, 29))
                .endsWith(List.of(35, 39, 43, 47, 51, 55, 59, 63));
        assertThat(groups(ranks, ranks::pp, ranks::dp, ranks::tp))
                .hasSize(32)
                .startsWith(List.of(0, 2), List.of(1, 3), List.of(4, 6));
        assertThat(groups(ranks, ranks::dp, ranks::cp, ranks::tp))
                .hasSize(32)
                .startsWith(List.of(0, 32), List.of(1, 33));
        assertThat(groups(ranks, ranks::pp, ranks::edp))
                .hasSize(8)
                .startsWith(List.of(0, 1, 2, 3, 4, 5, 6, 7))
                .endsWith(List.of(56, 57, 58, 59, 60, 61, 62, 63));
        assertThat(groups(ranks, ranks::pp, ranks::ep, ranks::etp))
                .hasSize(16)
                .startsWith(List.of(0, 8, 16, 24), List.of(1, 9, 17, 25))
                .endsWith(List.of(39, 47, 55, 63));
    }

    /** From the equation in {@code generate_masked_orthogonal_rank_groups}, rank = etp + ep * ETP + edp * ETP * EP + ... */
    @Test
    void expertsDivideAStageAnewWhateverDividesAttention() {
        TrainingRanks ranks = ranks(16, 4, 2, 2, 8, 1);

        assertThat(groups(ranks, ranks::pp, ranks::edp))
                .containsExactly(List.of(0, 1, 2, 3, 4, 5, 6, 7), List.of(8, 9, 10, 11, 12, 13, 14, 15));
        assertThat(ranks.ep(5)).isEqualTo(5);
        assertThat(ranks.tp(5)).isEqualTo(1);
        assertThat(ranks.cp(5)).isEqualTo(1);
        assertThat(ranks.ep(13)).isEqualTo(5);
        assertThat(ranks.pp(13)).isEqualTo(1);
    }

    private static TrainingRanks ranks(int gpus, int tp, int pp, int cp, int ep, int etp) {
        return new TrainingRanks(new TrainingLayout(tp, pp, cp, ep, etp, gpus / (tp * pp * cp)), gpus, gpus);
    }

    /** Ranks that agree in all of these coordinates, in the order of their first. */
    private static List<List<Integer>> groups(TrainingRanks ranks, IntUnaryOperator... coordinates) {
        Map<List<Integer>, List<Integer>> groups = new LinkedHashMap<>();
        IntStream.range(0, ranks.gpus())
                .forEach(rank -> groups.computeIfAbsent(
                                Arrays.stream(coordinates)
                                        .map(coordinate -> coordinate.applyAsInt(rank))
                                        .toList(),
                                key -> new ArrayList<>())
                        .add(rank));
        return List.copyOf(groups.values());
    }
}
