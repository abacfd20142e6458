package dev.sluice.cpu.worker;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.sluice.cpu.model.Tensors;
import dev.sluice.cpu.model.TokenScores;
import dev.sluice.workerapi.LossConfig;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Expected values: computed by hand (six decimals) from slime's compute_policy_loss and compute_approx_kl. */
class PolicyLossTest {
    private static final double SIX_DECIMALS = 1e-6;

    private PointerScope scope;

    @BeforeEach
    void openScope() {
        Tensors.useOneThread();
        scope = new PointerScope();
    }

    @AfterEach
    void closeScope() {
        scope.close();
    }

    @ParameterizedTest(name = "log-ratio {0}, advantage {1}")
    @CsvSource({
        "0.5, 1, -1.28, 1",
        "-0.5, 1, -0.606531, 0",
        "0.5, -1, 1.648721, 0",
        "-0.5, -1, 0.8, 1",
    })
    void theLowerOfTheClippedAndThePlainObjectiveCounts(
            double logRatio, double advantage, double loss, double clipped) {
        PolicyLoss.Terms terms = PolicyLoss.of(scores(logRatio - 2, 0), given(-2, advantage, null), config(null, 0, 0));

        assertThat(terms.loss().item_double()).isCloseTo(loss, within(SIX_DECIMALS));
        assertThat(terms.clipFraction().item_double()).isEqualTo(clipped);
        assertThat(terms.kl().item_double()).isCloseTo(-logRatio, within(SIX_DECIMALS));
    }

    @Test
    void theSecondClipBoundsTheLossOfABadTokenThatBecameLikely() {
        PolicyLoss.Terms terms = PolicyLoss.of(scores(-0.5, 0), given(-2, -1, null), config(3.0, 0, 0));

        assertThat(terms.loss().item_double()).isCloseTo(3.0, within(SIX_DECIMALS));
    }

    @ParameterizedTest
    @CsvSource({"0.1, 0.004837418", "-0.1, 0.005170918", "3, 2.049787", "-3, 10"})
    void divergenceIsTheThirdEstimatorBoundedAtTen(double difference, double expected) {
        PolicyLoss.Terms terms = PolicyLoss.of(scores(-2, 0), given(-2, 0, -2 - difference), config(null, 0.5, 0));

        assertThat(terms.klLoss().item_double()).isCloseTo(expected, within(SIX_DECIMALS));
        assertThat(terms.loss().item_double()).isCloseTo(0.5 * expected, within(SIX_DECIMALS));
    }

    @Test
    void entropyIsRewarded() {
        PolicyLoss.Terms terms = PolicyLoss.of(scores(-2, 1.5), given(-2, 0, null), config(null, 0, 0.1));

        assertThat(terms.loss().item_double()).isCloseTo(-0.15, within(SIX_DECIMALS));
    }

    private static TokenScores scores(double logprob, double entropy) {
        return new TokenScores(tensor(logprob), tensor(entropy));
    }

    private static PolicyLoss.Given given(double old, double advantage, @Nullable Double reference) {
        Tensor referenceTensor = reference == null ? null : tensor(reference);
        return new PolicyLoss.Given(tensor(old), tensor(old), referenceTensor, tensor(advantage), tensor(1));
    }

    private static LossConfig config(@Nullable Double dualClip, double klCoefficient, double entropyCoefficient) {
        return new LossConfig(
                "grpo",
                0.2,
                0.28,
                dualClip,
                klCoefficient,
                entropyCoefficient,
                0,
                LossConfig.OldLogprobs.ROLLOUT,
                null,
                1e-3,
                LossConfig.Optimizer.DEFAULT);
    }

    private static Tensor tensor(double value) {
        return Tensors.of(new float[] {(float) value}, 1, 1);
    }
}
