package dev.sluice.domain.request;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.sluice.events.Problem;
import dev.sluice.events.Problem.Severity;
import dev.sluice.events.Rollout.StaleSamples;
import dev.sluice.events.TrainingRequest.Batching;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class BatchingRulesTest {
    private final ObjectNode request = Requests.least();

    @Test
    void aRequestThatSaysNothingPacksByTokensBalancesRanksAndDropsStaleSamples() {
        var complete = Requests.complete(request);

        assertThat(complete.training().batching()).isEqualTo(Batching.BY_TOKENS);
        assertThat(complete.rollout().staleSamples()).isEqualTo(StaleSamples.DROP);
        assertThat(problems()).isEmpty();
    }

    @Test
    void microBatchesHaveOneMeasure() {
        Requests.set(request, "training.batching", "{\"microBatchSize\": 4, \"balanceByFlops\": true}");
        Requests.set(request, "training.layout", "{\"tokensPerGpu\": 4096}");

        assertThat(problems())
                .extracting(Problem::message)
                .containsExactly(
                        "micro-batches cannot be of 4 samples and of up to 4096 tokens a GPU (training.layout.tokensPerGpu)",
                        "it moves samples between micro-batches, which are of 4 samples here");
        assertThat(RequestRules.reject(problems())).isTrue();
    }

    @Test
    void aSampleThatMayBeLongerThanAMicroBatchIsWarnedAbout() {
        Requests.set(request, "training.layout", "{\"tokensPerGpu\": 1000}");
        Requests.set(request, "rollout.maxResponseTokens", "900");
        assertThat(problems()).isEmpty();

        Requests.set(request, "data.maxPromptTokens", "200");

        assertThat(problems()).singleElement().satisfies(problem -> {
            assertThat(problem.severity()).isEqualTo(Severity.WARNING);
            assertThat(problem.message())
                    .isEqualTo(
                            "a sample may have 1100 tokens, more than the 1000 of a micro-batch: it is trained alone");
        });
    }

    @Test
    void staleSamplesAreCorrectedOnlyWhereSomethingCorrects() {
        Requests.set(request, "rollout.staleSamples", "\"correct\"");
        Requests.set(request, "rollout.maxPolicyLag", "1");

        assertThat(problems()).singleElement().satisfies(problem -> {
            assertThat(problem.path()).isEqualTo("rollout.staleSamples");
            assertThat(problem.mend()).contains("algorithm.mismatchCorrection.type to tis or icepop");
        });

        Requests.set(request, "algorithm.mismatchCorrection", "{\"type\": \"tis\"}");
        assertThat(problems()).isEmpty();
    }

    private List<Problem> problems() {
        Facts facts = new Facts(new Facts.Model(List.of(), null), Map.of(), 0);
        return BatchingRules.ALL.stream()
                .flatMap(rule -> rule.broken(Requests.complete(request), facts).stream())
                .toList();
    }
}
