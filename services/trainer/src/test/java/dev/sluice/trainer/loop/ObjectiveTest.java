package dev.sluice.trainer.loop;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.events.Algorithm.OldLogprobs;
import dev.sluice.events.TrainingRequest;
import dev.sluice.trainer.Requests;
import dev.sluice.workerapi.Batch;
import dev.sluice.workerapi.LossConfig;
import dev.sluice.workerapi.MismatchCorrection;
import java.util.Map;
import org.junit.jupiter.api.Test;
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

    /** The engine's own log-probabilities would leave nothing to correct. */
    @ParameterizedTest
    @CsvSource({"1, CURRENT", "4, BATCH"})
    void aCorrectionTakesTheTrainersOldLogprobsThoughThereIsLag(int optimizerSteps, LossConfig.OldLogprobs expected) {
        TrainingRequest request = Requests.with(Map.of(
                "algorithm.mismatchCorrection",
                Map.of("type", "tis"),
                "training.optimizerStepsPerStep",
                optimizerSteps,
                "rollout.maxPolicyLag",
                1));

        LossConfig loss = Objective.loss(request);

        assertThat(loss.oldLogprobs()).isEqualTo(expected);
        assertThat(loss.mismatchCorrection()).isEqualTo(new MismatchCorrection(MismatchCorrection.Type.TIS, 0, 2));
    }

    /** 4 groups of 2 samples in 2 optimizer steps are 4 samples each; times 16 tokens. */
    @Test
    void aConstantDivisorIsTheMiniBatchesSamplesTimesTheLongestResponse() {
        TrainingRequest request = Requests.with(Map.of(
                "algorithm.lossNormaliser",
                "constant",
                "rollout.groupsPerStep",
                4,
                "rollout.samplesPerPrompt",
                2,
                "rollout.maxResponseTokens",
                16,
                "training.optimizerStepsPerStep",
                2));

        assertThat(Objective.normaliser(request))
                .isEqualTo(new Batch.LossNormaliser(Batch.LossNormaliser.Kind.CONSTANT, 64));
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
