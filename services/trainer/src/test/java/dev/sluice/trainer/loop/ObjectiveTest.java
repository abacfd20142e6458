package dev.sluice.trainer.loop;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.events.TrainingRequest;
import dev.sluice.events.TrainingRequest.OldLogprobs;
import dev.sluice.workerapi.LossConfig;
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
        TrainingRequest.Algorithm algorithm = new TrainingRequest.Algorithm(
                "grpo", 0.2, 0.28, 0, 0, oldLogprobs, true, TrainingRequest.LossNormaliser.SAMPLE);
        TrainingRequest.Rollout rollout =
                new TrainingRequest.Rollout(1, 1, 1, 1, 0, 0, 1, 1, -1, lag, 0, 0, 60, 0, null, null, null);
        TrainingRequest.Training training =
                new TrainingRequest.Training(1, optimizerSteps, 1e-3, 0, 0.9, 0.98, 1e-8, 1, null, null, null);
        return new TrainingRequest(
                "r", null, null, null, null, null, null, null, rollout, algorithm, training, null, null);
    }
}
