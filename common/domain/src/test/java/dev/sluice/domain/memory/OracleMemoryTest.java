package dev.sluice.domain.memory;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.sluice.domain.candidate.Candidate;
import dev.sluice.domain.candidate.Gpu;
import dev.sluice.domain.constraint.Candidates;
import dev.sluice.domain.recipes.Recipe;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Against the reference memory model's figures for slime's published recipes, slime-recipes.csv. */
class OracleMemoryTest {
    private static final double ONE_PERCENT = 0.01;

    static List<Recipe> trained() {
        return Recipe.all().stream()
                .filter(recipe -> recipe.has("est_train_gib"))
                .toList();
    }

    static List<Recipe> sampled() {
        return Recipe.all().stream()
                .filter(recipe -> recipe.has("est_rollout_weight_gib"))
                .toList();
    }

    @ParameterizedTest
    @MethodSource("trained")
    void needsTheReferencesTrainingMemory(Recipe recipe) {
        Candidate candidate = recipe.candidate(Gpu.H100_80);

        TrainingMemory memory = TrainingMemory.of(candidate);

        StageMemory fullest = memory.fullest();
        near(fullest.gib(), recipe.decimal("est_train_gib"));
        near(fullest.statics() / StageMemory.GIB, recipe.decimal("est_train_static_gib"));
        near(fullest.activations() / StageMemory.GIB, recipe.decimal("est_act_peak_gib"));
        near(
                HostMemory.of(candidate, memory, LayerSums.of(candidate.model()))
                        .gib(),
                recipe.decimal("est_host_gib_per_node"));
    }

    @ParameterizedTest
    @MethodSource("sampled")
    void needsTheReferencesRolloutMemory(Recipe recipe) {
        Candidate candidate = recipe.candidate(Gpu.H100_80);

        EngineMemory memory = EngineMemory.of(candidate, candidate.engine());

        near(memory.weights() / StageMemory.GIB, recipe.decimal("est_rollout_weight_gib"));
        near(memory.draftWeights() / StageMemory.GIB, recipe.decimal("est_draft_gib"));
        near(memory.cacheBytesPerToken(), recipe.decimal("kv_bytes_per_token"));
        if (recipe.has("est_kv_tokens_per_rank_h100")) {
            near(memory.cacheTokens(), recipe.decimal("est_kv_tokens_per_rank_h100"));
        } else {
            assertThat(memory.cacheTokens()).isZero();
        }
    }

    /**
     * One rank's share of the recipe on an H100: services/megatron-worker/README.md. The device shows what torch keeps too, which
     * must fit beside what a plan fills.
     */
    @Test
    void whatAMeasuredDeviceShowedAboveThePlanIsWithinWhatPlansLeave() {
        double onDevice = 53.0;
        double planned = TrainingMemory.of(Candidates.glm47Flash()).gib();

        assertThat(onDevice - planned).isLessThan((1 - TrainingMemory.USABLE_SHARE) * Gpu.H100_80.usableGiB());
    }

    /** One percent, and half of the column's last decimal. */
    private static void near(double actual, double expected) {
        assertThat(actual).isCloseTo(expected, within(ONE_PERCENT * expected + 0.05));
    }
}
