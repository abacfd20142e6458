package dev.sluice.cli.plan;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.events.Plan.EngineLayout;
import java.util.List;
import java.util.function.IntUnaryOperator;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/**
 * Ranks against SGLang: attention ranks from {@code compute_dp_attention_world_info} (layers/dp_attention.py), attention
 * TP = TP / DP with neighbours together; expert groups from {@code initialize_model_parallel}
 * (distributed/parallel_state.py), where TP4 EP2 gives the expert groups [0, 2] and [1, 3].
 */
class EngineRanksTest {
    @Test
    void neighboursShareAnAttentionReplica() {
        EngineRanks ranks = new EngineRanks(new EngineLayout(8, 4, 1, 0), 8, 8, 8);

        assertThat(each(8, ranks::attentionDp)).containsExactly(0, 0, 1, 1, 2, 2, 3, 3);
        assertThat(each(8, ranks::attentionTp)).containsExactly(0, 1, 0, 1, 0, 1, 0, 1);
    }

    @Test
    void neighboursShareExpertsWhereTpIsLargerThanEp() {
        EngineRanks ranks = new EngineRanks(new EngineLayout(4, 1, 2, 0), 4, 4, 4);

        assertThat(each(4, ranks::ep)).containsExactly(0, 0, 1, 1);
        assertThat(each(4, ranks::expertTp)).containsExactly(0, 1, 0, 1);
    }

    @Test
    void everyGpuHoldsItsOwnExpertsWhereEpIsTp() {
        EngineRanks ranks = new EngineRanks(new EngineLayout(8, 8, 8, 0), 8, 8, 8);

        assertThat(each(8, ranks::ep)).containsExactly(0, 1, 2, 3, 4, 5, 6, 7);
        assertThat(each(8, ranks::attentionDp)).containsExactly(0, 1, 2, 3, 4, 5, 6, 7);
    }

    @Test
    void enginesFillTheGpusOneAfterTheOtherAndStagesTheEngine() {
        EngineRanks ranks = new EngineRanks(new EngineLayout(2, 1, 1, 0), 4, 8, 8);

        assertThat(each(8, ranks::engine)).containsExactly(0, 0, 0, 0, 1, 1, 1, 1);
        assertThat(each(8, ranks::pp)).containsExactly(0, 0, 1, 1, 0, 0, 1, 1);
        assertThat(each(8, ranks::tp)).containsExactly(0, 1, 0, 1, 0, 1, 0, 1);
    }

    private static List<Integer> each(int gpus, IntUnaryOperator coordinate) {
        return IntStream.range(0, gpus).map(coordinate).boxed().toList();
    }
}
