package dev.sluice.domain.request;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.sluice.events.Problem;
import dev.sluice.events.Rollout.PauseMode;
import dev.sluice.events.TrainingRequest;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class PauseRulesTest {
    @Test
    void newWeightsAbortWhatRunsUnlessTheRequestSaysOtherwise() {
        // When
        TrainingRequest request = Requests.complete(Requests.with("rollout.maxPolicyLag", "0"));
        // Then
        assertThat(request.rollout().pauseMode()).isEqualTo(PauseMode.ABORT);
        assertThat(problems(request)).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(strings = {"retract", "in_place"})
    void samplesThatGoOnAreContinuedWithinTheLag(String mode) {
        assertThat(problems(with(mode, "\"partialRollout\": \"continue\", \"maxPolicyLag\": 1")))
                .isEmpty();
    }

    @ParameterizedTest
    @ValueSource(strings = {"retract", "in_place"})
    void whatGoesOnCannotBeginAnew(String mode) {
        assertThat(problems(with(mode, "\"maxPolicyLag\": 1"))).singleElement().satisfies(problem -> {
            assertThat(problem.severity()).isEqualTo(Problem.Severity.ERROR);
            assertThat(problem.path()).isEqualTo("rollout.pauseMode");
            assertThat(problem.message()).contains("with " + mode, "partialRollout restart");
            assertThat(problem.mend()).contains("continue_masked");
        });
    }

    @Test
    void aRunWithoutLagIsWarnedThatNoneOfTheseSamplesCanBeTrainedOn() {
        assertThat(problems(with("in_place", "\"partialRollout\": \"continue\"")))
                .singleElement()
                .satisfies(problem -> {
                    assertThat(problem.severity()).isEqualTo(Problem.Severity.WARNING);
                    assertThat(problem.message()).contains("maxPolicyLag 0");
                });
    }

    @Test
    void anEngineFromBeforeTheModesIsRefused() {
        // Given
        ObjectNode document = Requests.with(
                "rollout", "{\"pauseMode\": \"retract\", \"partialRollout\": \"continue\", \"maxPolicyLag\": 1}");
        Requests.set(document, "versions.sglang", "\"0.5.5.post1\"");
        // Then
        assertThat(problems(Requests.complete(document)))
                .singleElement()
                .satisfies(problem -> assertThat(problem.message())
                        .isEqualTo("SGLang 0.5.5.post1 knows no pause mode retract; it came with 0.5.6"));
    }

    private static TrainingRequest with(String mode, String others) {
        return Requests.complete(Requests.with("rollout", "{\"pauseMode\": \"" + mode + "\", " + others + "}"));
    }

    private static List<Problem> problems(TrainingRequest request) {
        Facts facts = new Facts(new Facts.Model(List.of(), null), Map.of(), 0);
        return PauseRules.ALL.stream()
                .flatMap(rule -> rule.broken(request, facts).stream())
                .toList();
    }
}
