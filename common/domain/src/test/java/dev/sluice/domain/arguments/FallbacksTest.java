package dev.sluice.domain.arguments;

import static dev.sluice.domain.arguments.FlagTexts.only;
import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.domain.candidate.Candidate;
import dev.sluice.domain.candidate.EngineSide.Speculation;
import dev.sluice.domain.candidate.Flags;
import java.util.List;
import org.junit.jupiter.api.Test;

class FallbacksTest {
    @Test
    void an_engine_without_memory_gets_smaller_graphs_then_a_lower_fraction_then_no_speculation() {
        Candidate candidate = Candidates.recipe().with(Candidates.engine(8, 8, 1, 0.7, 16, 128, Speculation.eagle(2)));
        Flags first = SglangArguments.of(candidate, 0, 42);

        List<Fallback> rungs = Fallbacks.of(candidate, first);

        // recipe.md S9 and the ladder of sglang.md section 4, row 7.
        assertThat(rungs).hasSize(4);
        assertThat(only(rungs.get(0).flags(), first)).containsExactly("--cuda-graph-max-bs-decode 8");
        assertThat(only(rungs.get(1).flags(), rungs.get(0).flags())).containsExactly("--mem-fraction-static 0.65");
        assertThat(only(rungs.get(2).flags(), rungs.get(1).flags())).containsExactly("--mem-fraction-static 0.6");
        assertThat(only(rungs.get(3).flags(), rungs.get(2).flags())).isEmpty();
        assertThat(rungs.get(3).flags().values().keySet())
                .noneMatch(name -> name.contains("speculative") || name.contains("draft"));
        assertThat(rungs.get(1).because()).isEqualTo("0.65 of the memory for weights and KV cache instead of 0.7");
    }

    @Test
    void nothing_is_lowered_that_is_not_there() {
        Candidate candidate = Candidates.recipe().with(Candidates.engine(8, 8, 1, 0.32, 1, 8, Speculation.OFF));

        assertThat(Fallbacks.of(candidate, SglangArguments.of(candidate, 0, 42)))
                .isEmpty();
    }
}
