package dev.sluice.trainer.loop;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.events.TrainingRequest;
import dev.sluice.events.TrainingRequest.OldLogprobs;
import dev.sluice.trainer.Requests;
import dev.sluice.workerapi.LossConfig;
import java.util.Map;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ObjectiveTest {
    @ParameterizedTest
    @CsvSource({
        "AUTO, 1, 0, CURRENT",
        "AUTO, 1, 1, ROLLOUT",
        "AUTO, 4, 0, BATCH",
        "AUTO, 4, 2, ROLLOUT",
        "RECOMPUTE, 1, 1, CURRENT",
        "RECOMPUTE, 4, 0, BATCH",
        "ROLLOUT, 4, 0, ROLLOUT",
        "CURRENT, 1, 0, CURRENT"
    })
    void takesOldLogprobsFromWhereTheyAreRight(
            OldLogprobs asked, int optimizerSteps, int lag, LossConfig.OldLogprobs expected) {
        assertThat(Objective.oldLogprobs(request(asked, optimizerSteps, lag))).isEqualTo(expected);
    }

    private static TrainingRequest request(OldLogprobs oldLogprobs, int optimizerSteps, int lag) {
        return Requests.with(Map.of(
                "algorithm.oldLogprobs",
                oldLogprobs,
                "training.optimizerStepsPerStep",
                optimizerSteps,
                "rollout.maxPolicyLag",
                lag));
    }
}
