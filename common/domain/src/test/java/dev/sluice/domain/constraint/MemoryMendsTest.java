package dev.sluice.domain.constraint;

import static dev.sluice.domain.constraint.Candidates.draft;
import static dev.sluice.domain.constraint.Candidates.glm;
import static dev.sluice.domain.constraint.Candidates.twoNodes;
import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.domain.candidate.Candidate;
import dev.sluice.domain.candidate.Gpu;
import dev.sluice.domain.candidate.TrainingSide.Optimizer;
import dev.sluice.domain.candidate.TrainingSide.Recompute;
import dev.sluice.domain.memory.TrainingMemory;
import dev.sluice.domain.recipes.Recipe;
import dev.sluice.events.Problem;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.Timeout.ThreadMode;

/** Figures are those of the planner specification, sections 2.1 and 2.3. */
class MemoryMendsTest {
    private static final long SEED = 20_260_826;

    @Test
    void whatSufficesAloneIsOfferedCheapestFirst() {
        assertThat(MemoryMends.of(glm().optimizer(Optimizer.GPU).build()))
                .isEqualTo("set training.layout.cpuAdam to 1 (48.8 GiB); or use 2 training nodes (69.7 GiB)");
    }

    @Test
    void fewerTokensAreCheapestButNoFewerThanTheLongestSampleHas() {
        assertThat(MemoryMends.of(glm().tokensPerGpu(32_768).build()))
                .startsWith("set training.layout.tokensPerGpu to 8192 (48.8 GiB); or ");
    }

    @Test
    void recomputationComesBeforeMoreGpus() {
        assertThat(MemoryMends.of(glm().recompute(Recompute.NONE).build()))
                .startsWith("set training.layout.recompute to full (48.8 GiB); or ");
    }

    @Test
    void whatSufficesOnlyTogetherIsOfferedTogether() {
        Candidate candidate =
                glm().tokensPerGpu(32_768).optimizer(Optimizer.GPU).build();

        assertThat(MemoryMends.of(candidate))
                .isEqualTo("together: set training.layout.tokensPerGpu to 8192, set training.layout.cpuAdam to 1"
                        + " (48.8 GiB)");
    }

    /** A stage of 23 layers stays where TP and CP change: 47 layers are not two even stages. */
    @Test
    void unevenStagesStay() {
        Candidate candidate = draft(twoNodes())
                .layout(1, 2, 2, 8, 1)
                .optimizer(Optimizer.GPU)
                .lengths(0, 65_536, 0)
                .build();

        assertThat(MemoryMends.of(candidate)).contains("set training.layout.tp to 2");
    }

    /** The specification: MiniMax-M2 of slime's script needs EP 16 on 80 GB. */
    @Test
    void slimesScriptOfMiniMaxIsToldToSpreadItsExperts() {
        Recipe recipe = Recipe.all().stream()
                .filter(row -> row.text("script").endsWith("run-minimax-m2.sh"))
                .findFirst()
                .orElseThrow();

        assertThat(MemoryMends.of(recipe.candidate(Gpu.H100_80))).startsWith("set training.layout.ep to 16 (");
    }

    @Test
    void whereNothingHelpsOtherGpusAreAskedFor() {
        Candidate candidate = glm().trainGpus(1).layout(1, 1, 1, 1, 1).build();

        assertThat(MemoryMends.of(candidate)).isEqualTo("use GPUs with more memory (cluster.gpu)");
    }

    @Test
    @Timeout(value = 60, threadMode = ThreadMode.SEPARATE_THREAD)
    void mendsAreFoundForAnyLayoutThatDoesNotFit() {
        Random random = new Random(SEED);
        int broken = 0;
        for (int i = 0; i < 2000; i++) {
            Candidate candidate = draft(random.nextBoolean() ? glm().build() : Candidates.qwen3_30b())
                    .gpusPerNode(1 << random.nextInt(4))
                    .gpus(1 << random.nextInt(12))
                    .layout(1 << random.nextInt(3), 1, 1 << random.nextInt(4), 1 << random.nextInt(7), 1)
                    .tokensPerGpu(1 << random.nextInt(10, 18))
                    .recompute(Recompute.values()[random.nextInt(3)])
                    .optimizer(random.nextBoolean() ? Optimizer.GPU : Optimizer.PRECISION_AWARE)
                    .build();

            var problem = ConstraintCases.constraint("H01").problem(candidate);

            broken += problem.isPresent() ? 1 : 0;
            assertThat(problem.map(Problem::mend).orElse("fits"))
                    .as("seed %d, candidate %d: %s", SEED, i, candidate)
                    .isNotBlank();
            problem.ifPresent(found ->
                    assertThat(TrainingMemory.of(candidate).gib()).isGreaterThan(TrainingMemory.limitGiB(candidate)));
        }
        assertThat(broken).isGreaterThan(200);
    }
}
