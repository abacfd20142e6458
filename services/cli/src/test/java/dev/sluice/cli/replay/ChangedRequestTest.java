package dev.sluice.cli.replay;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sluice.cli.CommandFailure;
import dev.sluice.domain.request.RequestReader;
import dev.sluice.domain.request.RequestReader.Reading;
import dev.sluice.events.EventJson;
import dev.sluice.events.TrainingRequest;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class ChangedRequestTest {
    private TrainingRequest recorded;

    @BeforeEach
    void readRequest() throws Exception {
        String text = """
                {"backend": "cpu", "model": {"path": "/m"}, "data": {"prompts": "/p.jsonl"}, "training": {"steps": 30},
                 "rollout": {"groupsPerStep": 32}}
                """;
        recorded = ((Reading.Complete) RequestReader.read(EventJson.mapper().readTree(text))).request();
    }

    @Test
    void whatTheLossAndTheOptimizerDoCanBeChanged() {
        TrainingRequest changed = ChangedRequest.of(
                recorded,
                List.of("training.learningRate=1e-4", "algorithm.clipHigh=0.4", "training.optimizerStepsPerStep=4"));

        assertThat(changed).isNotNull();
        assertThat(changed.training().learningRate()).isEqualTo(1e-4);
        assertThat(changed.algorithm().clipHigh()).isEqualTo(0.4);
        assertThat(changed.training().optimizerStepsPerStep()).isEqualTo(4);
        assertThat(changed.rollout()).isEqualTo(recorded.rollout());
    }

    @Test
    void nothingIsChangedWithoutASetting() {
        assertThat(ChangedRequest.of(recorded, List.of())).isNull();
    }

    @Test
    void whatTheLogHasFixedIsRefusedAllAtOnce() {
        assertThatThrownBy(() -> ChangedRequest.of(
                        recorded,
                        List.of("rollout.temperature=2", "training.steps=9", "data.seed=1", "algorithm.clipLow=0.1")))
                .isInstanceOf(CommandFailure.class)
                .hasMessageContaining("rollout.temperature=2, training.steps=9, data.seed=1 cannot be changed");
    }

    @Test
    void whatNoRequestMayHaveIsRefusedWithItsMend() {
        assertThatThrownBy(
                        () -> ChangedRequest.of(recorded, List.of("training.learningRate=-1", "algorithm.clipHi=0.4")))
                .isInstanceOf(CommandFailure.class)
                .hasMessageContaining("training.learningRate")
                .hasMessageContaining("did you mean");
        assertThatThrownBy(() -> ChangedRequest.of(recorded, List.of("training.optimizerStepsPerStep=5")))
                .hasMessageContaining("32 groups do not divide into 5 mini-batches");
        assertThatThrownBy(() -> ChangedRequest.of(recorded, List.of("algorithm.name=ppoo")))
                .hasMessageContaining("algorithm.name: ppoo is none of");
    }

    @Test
    void modelsThatTheRunHadNotLoadedAreRefusedBeforeAnythingStarts() {
        assertThatThrownBy(() -> ChangedRequest.of(recorded, List.of("algorithm.name=ppo")))
                .isInstanceOf(CommandFailure.class)
                .hasMessageContaining("ppo needs a critic, which the run had none of");
        assertThatThrownBy(() -> ChangedRequest.of(recorded, List.of("algorithm.klLossCoefficient=0.1")))
                .isInstanceOf(CommandFailure.class)
                .hasMessageContaining("a divergence needs its reference, which the run's worker had not loaded");
        assertThatThrownBy(() -> ChangedRequest.of(
                        recorded,
                        List.of("algorithm.distillation.teacher=/teacher", "algorithm.distillation.coefficient=1")))
                .isInstanceOf(CommandFailure.class)
                .hasMessageContaining("/teacher was not loaded in the run");
    }
}
