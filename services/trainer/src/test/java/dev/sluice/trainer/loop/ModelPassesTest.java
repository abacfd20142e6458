package dev.sluice.trainer.loop;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.groups.Tuple.tuple;

import dev.sluice.events.TrainingRequest;
import dev.sluice.trainer.Requests;
import dev.sluice.workerapi.Batch.Column;
import dev.sluice.workerapi.LossConfig;
import dev.sluice.workerapi.ModelRole;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ModelPassesTest {
    @Test
    void aPassThatNoCoefficientUsesIsNotComputed() {
        TrainingRequest request = Requests.with(Map.of(
                "algorithm.reference",
                "/reference",
                "algorithm.distillation",
                Map.of("teacher", "/teacher", "coefficient", 0)));

        assertThat(ModelPasses.of(request)).isEmpty();
    }

    @Test
    void aLossNeedsTheReferenceAlone() {
        TrainingRequest request = Requests.with(Map.of("algorithm.klLossCoefficient", 0.1));

        assertThat(ModelPasses.of(request))
                .extracting(ModelPasses.Pass::model, ModelPasses.Pass::column)
                .containsExactly(tuple(ModelRole.REFERENCE, Column.REF_LOGPROBS));
    }

    /** The advantages are computed before the step, so the policy's log-probabilities cannot be taken from it. */
    @Test
    void aDivergenceInTheRewardsNeedsThePolicyToo() {
        TrainingRequest request = Requests.with(Map.of("algorithm.name", "ppo", "algorithm.klRewardCoefficient", 0.1));

        assertThat(ModelPasses.of(request))
                .extracting(ModelPasses.Pass::column)
                .containsExactly(Column.OLD_LOGPROBS, Column.REF_LOGPROBS, Column.VALUES);
        assertThat(Objective.loss(request).oldLogprobs()).isEqualTo(LossConfig.OldLogprobs.BATCH);
    }

    @Test
    void theEnginesOwnLogprobsNeedNoPass() {
        TrainingRequest request = Requests.with(
                Map.of("algorithm.oldLogprobs", "rollout", "algorithm.distillation", Map.of("teacher", "/teacher")));

        assertThat(ModelPasses.of(request))
                .extracting(ModelPasses.Pass::column)
                .containsExactly(Column.TEACHER_LOGPROBS);
    }

    @Test
    void aTeacherOnAServerIsNoPassOfTheWorker() {
        TrainingRequest request = Requests.with(Map.of(
                "algorithm.oldLogprobs",
                "rollout",
                "algorithm.distillation",
                Map.of("teacher", "http://teacher:30000")));

        assertThat(ModelPasses.of(request)).isEmpty();
        assertThat(request.algorithm().distillation().loadedTeacher()).isNull();
    }

    @ParameterizedTest
    @CsvSource({"1, CRITIC", "2, CRITIC", "3, POLICY"})
    void inItsFirstStepsTheCriticIsTrainedAlone(int step, ModelRole trained) {
        TrainingRequest request = Requests.with(
                Map.of("algorithm.name", "ppo", "algorithm.critic", Map.of("onlySteps", 2), "training.steps", 4));

        assertThat(Objective.trained(request, step)).isEqualTo(trained);
    }

    @ParameterizedTest
    @CsvSource({"0.1, 4, true", "0.1, 5, false", "0, 4, false"})
    void thePolicyBecomesTheReferenceEverySoManySteps(double coefficient, int step, boolean renewed) {
        TrainingRequest request =
                Requests.with(Map.of("algorithm.klLossCoefficient", coefficient, "algorithm.referenceUpdateSteps", 2));

        assertThat(Objective.renewsReference(request, step)).isEqualTo(renewed);
    }

    @Test
    void aCriticLearnsAtThePolicysRateWhereItHasNoneOfItsOwn() {
        TrainingRequest request =
                Requests.with(Map.of("algorithm.name", "ppo", "training.learningRate", 1e-5, "training.steps", 1));

        assertThat(Objective.loss(request).critic()).isEqualTo(new LossConfig.CriticLoss(0.2, 1e-5));
        assertThat(Objective.loss(Requests.with(Map.of())).critic()).isNull();
    }
}
