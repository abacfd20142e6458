package dev.sluice.domain.recipes;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.domain.candidate.Candidate;
import dev.sluice.domain.candidate.Gpu;
import dev.sluice.domain.constraint.Constraints;
import dev.sluice.domain.memory.EngineMemory;
import dev.sluice.domain.memory.TrainingMemory;
import dev.sluice.events.Problem;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * slime's published recipes are judged as the reference judged them, slime-recipes.csv. It allows training all of a GPU's
 * usable memory, where a plan leaves 6 %.
 */
class OracleVerdictTest {
    private static final String NOT_ENOUGH_MEMORY = "H01";

    static Stream<Arguments> verdicts() {
        return Recipe.all().stream()
                .flatMap(recipe -> Stream.of(
                        Arguments.of(recipe, Gpu.H100_80, recipe.text("verdict_h100_80")),
                        Arguments.of(recipe, Gpu.H200_141, recipe.text("verdict_h200_141"))));
    }

    @Test
    void theReferenceJudged38RecipesOnTwoGpus() {
        assertThat(verdicts()).hasSize(76);
    }

    @ParameterizedTest(name = "{0} on {1}: {2}")
    @MethodSource("verdicts")
    void aRecipeIsJudgedAsTheReferenceJudgedIt(Recipe recipe, Gpu gpu, String verdict) {
        Candidate candidate = recipe.candidate(gpu);

        List<String> errors = errors(candidate);

        assertThat(verdict(candidate, errors)).isEqualTo(verdict);
        assertThat(errors).as("whatever else is wrong").hasSizeLessThan(2);
    }

    /** Rules that a recipe breaks, without the margin of training's memory. */
    private static List<String> errors(Candidate candidate) {
        return Constraints.broken(candidate).stream()
                .filter(problem -> problem.severity() == Problem.Severity.ERROR)
                .map(Problem::rule)
                .filter(rule -> !rule.equals(NOT_ENOUGH_MEMORY) || needed(candidate) > usable(candidate))
                .toList();
    }

    /** In the reference's words; a rule that it does not know in its own. */
    private static String verdict(Candidate candidate, List<String> errors) {
        if (errors.isEmpty()) {
            return "ok";
        }
        String rule = errors.getFirst();
        return switch (rule) {
            case "M02" -> "INVALID: world % etp*ep*pp";
            case "M08" -> "INVALID: pp split";
            case NOT_ENOUGH_MEMORY -> "train OOM %.0f>%.0f".formatted(needed(candidate), usable(candidate));
            case "H03" ->
                "rollout KV %d<%d"
                        .formatted(
                                EngineMemory.of(candidate, candidate.engine()).cacheTokens(),
                                candidate.workload().contextTokens());
            default -> "broken: " + rule;
        };
    }

    private static double needed(Candidate candidate) {
        return TrainingMemory.of(candidate).gib();
    }

    private static double usable(Candidate candidate) {
        return candidate.cluster().gpu().usableGiB();
    }
}
