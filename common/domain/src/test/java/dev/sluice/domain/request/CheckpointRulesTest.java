package dev.sluice.domain.request;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.sluice.events.Problem;
import dev.sluice.events.TrainingRequest;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class CheckpointRulesTest {
    private static final String EVALUATION =
            "[{\"name\": \"held\", \"prompts\": \"/h\", \"everySteps\": %d, \"samplesPerPrompt\": 1}]";

    @Test
    void whatIsKeptEverySoManyStepsHasToBeSavedThen() {
        assertThat(problems("{\"everySteps\": 20, \"keepEvery\": 100}", 0)).isEmpty();
        assertThat(problems("{\"everySteps\": 20, \"keepEvery\": 30}", 0))
                .singleElement()
                .satisfies(problem -> {
                    assertThat(problem.severity()).isEqualTo(Problem.Severity.ERROR);
                    assertThat(problem.message())
                            .isEqualTo("a cut is made every 20 steps, so that step 30 has none to keep");
                });
    }

    @Test
    void theBestCutsNeedAnEvaluationThatComparesThem() {
        assertThat(problems("{\"everySteps\": 20, \"keepBest\": 1}", 10)).isEmpty();
        assertThat(problems("{\"everySteps\": 20, \"keepBest\": 1}", 40)).isEmpty();
        assertThat(problems("{\"everySteps\": 20, \"keepBest\": 1}", 0))
                .extracting(Problem::severity)
                .containsExactly(Problem.Severity.ERROR);
        assertThat(problems("{\"everySteps\": 20, \"keepBest\": 1}", 30))
                .extracting(Problem::severity)
                .containsExactly(Problem.Severity.WARNING);
    }

    @Test
    void aRunGoesOnFromARun() {
        assertThat(problems("{\"resumeFrom\": \"run-1\"}", 0)).isEmpty();
        assertThat(problems("{\"resumeFrom\": \"/data/runs/run-1\"}", 0))
                .singleElement()
                .satisfies(problem -> assertThat(problem.message()).isEqualTo("/data/runs/run-1 names no run"));
    }

    private static List<Problem> problems(String checkpoints, int evaluateEvery) {
        ObjectNode document = Requests.with("checkpoints", checkpoints);
        Requests.set(document, "evaluation", EVALUATION.formatted(evaluateEvery));
        TrainingRequest request = Requests.complete(document);
        Facts facts = new Facts(new Facts.Model(List.of(), null), Map.of(), 0);
        return CheckpointRules.ALL.stream()
                .flatMap(rule -> rule.broken(request, facts).stream())
                .toList();
    }
}
