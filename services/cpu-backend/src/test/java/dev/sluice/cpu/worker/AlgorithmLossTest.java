package dev.sluice.cpu.worker;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.sluice.cpu.model.Tensors;
import dev.sluice.cpu.model.TokenScores;
import dev.sluice.workerapi.LossConfig;
import dev.sluice.workerapi.LossConfig.OldLogprobs;
import dev.sluice.workerapi.MismatchCorrection;
import dev.sluice.workerapi.MismatchCorrection.Type;
import java.util.Objects;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * Expected values: computed by hand (six decimals) from slime's compute_gspo_kl, compute_policy_loss, its CISPO branch,
 * vanilla_tis_function and icepop_function; gradients by finite differences in double precision.
 */
class AlgorithmLossTest {
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

    /** Log-ratios 0.1 and 0.3 have the mean 0.2, whatever stands at the masked third token; exp(0.2) = 1.221403. */
    @Test
    void gspoTakesOneRatioASequenceFromItsTrainedTokens() {
        Tensor old = row(-2, -2, -2);
        PolicyLoss.Terms terms = of("gspo", row(-1.9f, -1.7f, -0.1f), old, old, row(1, 1, 1), row(0.5f, 0.5f, 0), null);

        assertThat(terms.loss().item_double()).isCloseTo(-1.221403, within(SIX_DECIMALS));
        assertThat(terms.kl().item_double()).isCloseTo(-0.2, within(SIX_DECIMALS));
        assertThat(terms.ratio().item_double()).isCloseTo(1.221403, within(SIX_DECIMALS));
        assertThat(terms.clipFraction().item_double()).isZero();
    }

    /** Log-ratios -0.4 and -0.2: exp(-0.3) = 0.740818 is clipped to 0.8 for a bad sequence. */
    @Test
    void gspoClipsTheSequenceAsAWhole() {
        Tensor old = row(-2, -2);
        PolicyLoss.Terms terms = of("gspo", row(-2.4f, -2.2f), old, old, row(-1, -1), row(0.5f, 0.5f), null);

        assertThat(terms.loss().item_double()).isCloseTo(0.8, within(SIX_DECIMALS));
        assertThat(terms.clipFraction().item_double()).isEqualTo(1);
    }

    /** slime's sft_loss: 0.5 * 2 + 0.25 * 1 = 1.25, whatever advantages and old log-probabilities are. */
    @Test
    void sftTakesTheNegativeLogProbabilityOfTrainedTokensAlone() {
        Tensor current = row(-2, -1, -0.5f).set_requires_grad(true);

        PolicyLoss.Terms terms =
                of("sft", current, row(-9, -9, -9), row(0, 0, 0), row(-3, 7, 1), row(0.5f, 0.25f, 0), null);
        terms.loss().backward();

        assertThat(terms.loss().item_double()).isCloseTo(1.25, within(SIX_DECIMALS));
        assertThat(Tensors.floats(current.grad())).containsExactly(new float[] {-0.5f, -0.25f, 0}, within(0f));
        assertThat(terms.ratio().item_double()).isZero();
    }

    /** -clip(ratio) * advantage * log-probability, with log-probability log-ratio - 2. */
    @ParameterizedTest(name = "log-ratio {0}, advantage {1}")
    @CsvSource({
        "0.5, 1, 1.92, 1, -1.28",
        "-0.5, 1, 2.0, 1, -0.8",
        "0.5, -1, -1.92, 1, 1.28",
        "0.1, 1, 2.099825, 0, -1.105171"
    })
    void cispoWeighsTheLogProbabilityByAClippedRatioThatHasNoGradient(
            float logRatio, float advantage, double loss, double clipped, double gradient) {
        Tensor old = row(-2);
        Tensor current = row(logRatio - 2).set_requires_grad(true);

        PolicyLoss.Terms terms = of("cispo", current, old, old, row(advantage), row(1), null);
        terms.loss().backward();

        assertThat(terms.loss().item_double()).isCloseTo(loss, within(SIX_DECIMALS));
        assertThat(terms.clipFraction().item_double()).isEqualTo(clipped);
        assertThat(current.grad().item_double()).isCloseTo(gradient, within(SIX_DECIMALS));
    }

    /** Ratio 1 to the old policy, advantage 1: the loss is minus the weight. */
    @ParameterizedTest(name = "{0} of old - rollout {1}")
    @CsvSource({
        "TIS, 0.5, 1.648721, 1.648721, 0, 0.648721",
        "TIS, 1, 2, 2.718282, 1, 1.718282",
        "TIS, -1, 0.5, 0.367879, 1, 0.632121",
        "ICEPOP, 0.5, 1.648721, 1.648721, 0, 0.648721",
        "ICEPOP, 1, 0, 2.718282, 1, 1.718282",
        "ICEPOP, -1, 0, 0.367879, 1, 0.632121",
    })
    void aCorrectionBoundsTheRatioOfTrainerToEngine(
            Type type, float difference, double weight, double ratio, double clipped, double distance) {
        Tensor old = row(-2);

        PolicyLoss.Terms terms =
                of("grpo", row(-2), old, row(-2 - difference), row(1), row(1), new MismatchCorrection(type, 0.5, 2));

        assertThat(terms.loss().item_double()).isCloseTo(-weight, within(SIX_DECIMALS));
        var mismatch = Objects.requireNonNull(terms.mismatch());
        assertThat(mismatch.ratio()).isCloseTo(ratio, within(SIX_DECIMALS));
        assertThat(mismatch.clipFraction()).isEqualTo(clipped);
        assertThat(mismatch.distance()).isCloseTo(distance, within(SIX_DECIMALS));
    }

    /** The loss of two sequences at log-probabilities moved by 1e-5 either way, in Java doubles of the papers' formula. */
    @Test
    void gradientsOfGspoAreThoseOfFiniteDifferences() {
        double[][] current = {{-1.9, -1.7}, {-2.05, -2.2}};
        double[][] advantages = {{0.7, 0.7}, {-1.3, -1.3}};
        Tensor logprobs =
                Tensors.of(new float[] {-1.9f, -1.7f, -2.05f, -2.2f}, 2, 2).set_requires_grad(true);
        Tensor old = Tensors.of(new float[] {-2, -2, -2, -2}, 2, 2);

        of(
                        "gspo",
                        logprobs,
                        old,
                        old,
                        Tensors.of(new float[] {0.7f, 0.7f, -1.3f, -1.3f}, 2, 2),
                        Tensors.of(new float[] {0.25f, 0.25f, 0.25f, 0.25f}, 2, 2),
                        null)
                .loss()
                .backward();

        float[] gradient = Tensors.floats(logprobs.grad());
        for (int i = 0; i < 4; i++) {
            double high = moved(current, advantages, i, 1e-5);
            double low = moved(current, advantages, i, -1e-5);
            assertThat((double) gradient[i]).isCloseTo((high - low) / 2e-5, within(1e-5));
        }
    }

    private static double moved(double[][] current, double[][] advantages, int entry, double by) {
        double loss = 0;
        for (int row = 0; row < 2; row++) {
            double logRatio = 0;
            for (int t = 0; t < 2; t++) {
                logRatio += (current[row][t] + 2 + (2 * row + t == entry ? by : 0)) / 2;
            }
            double ratio = Math.exp(logRatio);
            double clipped = Math.clamp(ratio, 0.8, 1.28);
            for (int t = 0; t < 2; t++) {
                loss += 0.25 * Math.max(-ratio * advantages[row][t], -clipped * advantages[row][t]);
            }
        }
        return loss;
    }

    private static PolicyLoss.Terms of(
            String algorithm,
            Tensor current,
            Tensor old,
            Tensor rollout,
            Tensor advantages,
            Tensor weights,
            @Nullable MismatchCorrection correction) {
        LossConfig config = new LossConfig(
                algorithm, 0.2, 0.28, null, 0, 0, 0, OldLogprobs.BATCH, correction, 1e-3, LossConfig.Optimizer.DEFAULT);
        return PolicyLoss.of(
                new TokenScores(current, old.mul(old)),
                new PolicyLoss.Given(old, rollout, null, advantages, weights),
                config);
    }

    private static Tensor row(float... values) {
        return Tensors.of(values, 1, values.length);
    }
}
