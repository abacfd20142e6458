package dev.sluice.domain.request;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.sluice.domain.model.Models;
import dev.sluice.events.Problem;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ModelRulesTest {
    @Test
    void aDivergenceInRewardsAndLossIsRefused() {
        assertThat(broken(Map.of(
                        "algorithm.name", "\"ppo\"",
                        "algorithm.klRewardCoefficient", "0.1",
                        "algorithm.klLossCoefficient", "0.2")))
                .singleElement()
                .satisfies(problem -> assertThat(problem.message())
                        .isEqualTo("the divergence counts twice: 0.1 in the rewards and 0.2 in the loss"));
    }

    @Test
    void aReferenceThatNoCoefficientUsesIsAWarning() {
        assertThat(broken(Map.of("algorithm.reference", "\"/reference\"")))
                .singleElement()
                .satisfies(problem -> {
                    assertThat(problem.severity()).isEqualTo(Problem.Severity.WARNING);
                    assertThat(problem.message()).contains("it is not loaded");
                });
    }

    @Test
    void aCheckpointThatCannotBeLoadedIsRefusedWithTheReason() {
        Map<String, String> values =
                Map.of("algorithm.klLossCoefficient", "0.1", "algorithm.reference", "\"/reference\"");

        assertThat(broken(values, Map.of("/reference", "/reference is not a directory")))
                .containsExactly(Problem.error(
                        "algorithm.checkpoints",
                        "algorithm.reference",
                        "/reference is not a directory",
                        "give the directory of a complete checkpoint of the model's family"));
    }

    @Test
    void aCriticThatWouldBeTrainedAloneToTheEndIsRefused() {
        assertThat(broken(Map.of(
                        "algorithm.name", "\"ppo\"",
                        "algorithm.critic.onlySteps", "3",
                        "training.steps", "3")))
                .singleElement()
                .satisfies(problem -> assertThat(problem.message()).contains("in all 3 steps the critic alone"));
    }

    @Test
    void aCriticOnGpusIsRefusedWhileNoPlanCountsIt() {
        assertThat(broken(Map.of("algorithm.name", "\"ppo\"", "backend", "\"gpu\"")))
                .singleElement()
                .satisfies(problem -> assertThat(problem.message()).contains("counts the memory of a critic"));
    }

    @Test
    void ppoWithDivergenceDiscountAndLambdaIsFine() {
        assertThat(broken(Map.of(
                        "algorithm.name", "\"ppo\"",
                        "algorithm.gamma", "0.99",
                        "algorithm.lambda", "0.95",
                        "algorithm.klRewardCoefficient", "0.01",
                        "algorithm.klType", "\"k1\"",
                        "rollout.samplesPerPrompt", "1")))
                .isEmpty();
    }

    @Test
    void aTeacherOnAServerIsNoCheckpoint() {
        assertThat(broken(
                        Map.of("algorithm.distillation.teacher", "\"http://teacher:30000\""),
                        Map.of("http://teacher:30000", "no directory")))
                .isEmpty();
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            http://teacher:30000/generate | leave /generate out
            http://user@teacher:30000     | give http(s)://host:port
            http://teacher:30000?x=1      | give http(s)://host:port
            """)
    void theAddressOfATeacherIsThatOfAServer(String teacher, String mend) {
        assertThat(broken(Map.of("algorithm.distillation.teacher", "\"" + teacher + "\"")))
                .singleElement()
                .satisfies(problem -> assertThat(problem.mend()).contains(mend));
    }

    /** SGLang scales no log-probability of a prompt's token. */
    @ParameterizedTest
    @CsvSource({"temperature, 0.8", "topP, 0.9", "topK, 5"})
    void samplingOtherwiseThanTheServerTellsIsWarnedOf(String key, String value) {
        assertThat(broken(
                        Map.of("algorithm.distillation.teacher", "\"http://teacher:30000\"", "rollout." + key, value)))
                .singleElement()
                .satisfies(problem -> assertThat(problem.message()).contains("at temperature 1 over the whole"));
    }

    private static List<Problem> broken(Map<String, String> values) {
        return broken(values, Map.of());
    }

    private static List<Problem> broken(Map<String, String> values, Map<String, String> unusable) {
        ObjectNode document = Requests.least();
        values.forEach((path, value) -> Requests.set(document, path, value));
        Facts facts = new Facts(
                new Facts.Model(List.of(), Models.tiny()), null, Map.of(), 0, Facts.Purpose.RUN, null, unusable);
        return ModelRules.ALL.stream()
                .flatMap(rule -> rule.broken(Requests.complete(document), facts).stream())
                .toList();
    }
}
