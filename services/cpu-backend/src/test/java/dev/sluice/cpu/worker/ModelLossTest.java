package dev.sluice.cpu.worker;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.sluice.cpu.model.Tensors;
import dev.sluice.cpu.model.TokenScores;
import dev.sluice.workerapi.KlType;
import dev.sluice.workerapi.LossConfig;
import dev.sluice.workerapi.LossConfig.OldLogprobs;
import dev.sluice.workerapi.MismatchCorrection;
import dev.sluice.workerapi.MismatchCorrection.Level;
import dev.sluice.workerapi.MismatchCorrection.Type;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * Expected values: computed by hand (six decimals) from slime's compute_approx_kl, compute_opsm_mask, value_loss_function and
 * the compute_mis_weights of its mismatch example; gradients by finite differences in double precision.
 */
class ModelLossTest {
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

    /** Unbiased with exp(0.5) = 1.648721, before the bound. */
    @ParameterizedTest(name = "{0} of {1}")
    @CsvSource({
        "K1, 0.1, 0.1, 0.164872",
        "K2, 0.1, 0.005, 0.008244",
        "K3, 0.1, 0.004837, 0.007976",
        "K3, -0.1, 0.005171, 0.008525",
        "K3, -3, 16.085537, 26.520566",
        "LOW_VAR_KL, 3, 2.049787, 3.379527",
        "LOW_VAR_KL, -3, 10, 10"
    })
    void aDivergenceIsSchulmansEstimatorAndUnbiasedTimesTheRatio(
            KlType type, float difference, double plain, double unbiased) {
        Tensor current = row(-2);
        PolicyLoss.Given given = new PolicyLoss.Given(row(-2.5f), row(-2.5f), row(-2 - difference), row(0), row(1));

        assertThat(PolicyLoss.of(scores(current), given, divergence(type, false))
                        .klLoss()
                        .item_double())
                .isCloseTo(plain, within(2e-6));
        assertThat(PolicyLoss.of(scores(current), given, divergence(type, true))
                        .klLoss()
                        .item_double())
                .isCloseTo(unbiased, within(5e-6));
    }

    @Test
    void gradientOfTheUnbiasedDivergenceGoesThroughTheRatioToo() {
        Tensor current = row(-2).set_requires_grad(true);
        PolicyLoss.Given given = new PolicyLoss.Given(row(-2.5f), row(-2.5f), row(-2.3f), row(0), row(1));

        PolicyLoss.of(scores(current), given, divergence(KlType.K3, true))
                .loss()
                .backward();

        double high = unbiased(-2 + 1e-5);
        double low = unbiased(-2 - 1e-5);
        assertThat(current.grad().item_double()).isCloseTo((high - low) / 2e-5, within(1e-5));
    }

    private static double unbiased(double logprob) {
        double difference = logprob + 2.3;
        return Math.exp(logprob + 2.5) * (Math.exp(-difference) - 1 + difference);
    }

    /** Both sequences became less likely by 0.2 nats a trained token; the third token of each is masked. */
    @ParameterizedTest
    @CsvSource({"0.1, 1, -0.5", "0.3, 0, 0"})
    void aBadSequenceThatBecameLessLikelyThanDeltaCountsNothing(double delta, double masked, double loss) {
        Tensor current = Tensors.of(new float[] {-2.3f, -2.1f, -9, -2.1f, -2.3f, -9}, 2, 3);
        Tensor old = Tensors.of(new float[] {-2, -2, -2, -2, -2, -2}, 2, 3);
        Tensor advantages = Tensors.of(new float[] {-1, -1, -1, 1, 1, 1}, 2, 3);
        Tensor weights = Tensors.of(new float[] {.25f, .25f, 0, .25f, .25f, 0}, 2, 3);
        LossConfig config = config(KlType.K1, false, null, delta, 0.9, 0.9);

        PolicyLoss.Terms terms =
                PolicyLoss.of(scores(current), new PolicyLoss.Given(old, old, null, advantages, weights), config);

        // Ratios exp(-0.3) and exp(-0.1) are within the clip of 0.9: 0.25 * 1.645656 each way.
        assertThat(terms.masked().item_double()).isCloseTo(masked / 2, within(SIX_DECIMALS));
        assertThat(terms.loss().item_double()).isCloseTo(masked == 1 ? -0.411414 : loss, within(SIX_DECIMALS));
    }

    /** Differences 0.3 and 0.2 at trained tokens, 5 at a masked one: their sum's ratio is 1.648721, their mean's 1.284025. */
    @ParameterizedTest
    @CsvSource({
        "SEQUENCE, TIS, 1.5, 1.648721, 1",
        "SEQUENCE, ICEPOP, 0, 1.648721, 1",
        "GEOMETRIC, TIS, 1.284025, 1.284025, 0",
        "GEOMETRIC, ICEPOP, 1.284025, 1.284025, 0",
    })
    void aCorrectionOfSequencesHasOneRatioForAllTokens(
            Level level, Type type, double weight, double ratio, double clipped) {
        Tensor rollout = row(-2.3f, -2.2f, -7);

        MismatchWeights weights = MismatchWeights.of(
                row(-2, -2, -2), rollout, row(.5f, .5f, 0), new MismatchCorrection(type, 0.5, 1.5, level, null));

        assertThat(Tensors.floats(weights.byToken())).containsOnly(new float[] {(float) weight}, within(1e-6f));
        assertThat(weights.figures().ratio()).isCloseTo(ratio, within(SIX_DECIMALS));
        assertThat(weights.figures().clipFraction()).isEqualTo(clipped);
    }

    /** exp(-10) lies below 1e-4, exp(-9) above; the same at a masked token vetoes nothing. */
    @ParameterizedTest
    @CsvSource({"-12, -2, 0", "-11, -2, 1", "-2, -12, 1"})
    void aTokenBelowTheVetoSilencesItsSequence(float trained, float masked, int counts) {
        MismatchWeights weights = MismatchWeights.of(
                row(trained, -2, masked),
                row(-2, -2, -2),
                row(.5f, .5f, 0),
                new MismatchCorrection(Type.TIS, 0, 2, Level.TOKEN, 1e-4));

        assertThat(Tensors.floats(weights.byToken())[1]).isEqualTo(counts);
    }

    /** Clip 0.2 around the old value 0.5. */
    @ParameterizedTest(name = "value {0}, return {1}")
    @CsvSource({"1.0, 0.6, 0.16, 1, 0.8", "1.0, 1.1, 0.16, 1, 0", "0.6, 0.6, 0, 0, 0", "0.6, 1, 0.16, 0, -0.8"})
    void theLargerErrorOfTheValueAndTheClippedOneCounts(
            float value, float wanted, double loss, double clipped, double gradient) {
        Tensor now = row(value).set_requires_grad(true);

        ValueLoss terms = ValueLoss.of(now, row(0.5f), row(wanted), row(1), 0.2);
        terms.loss().backward();

        assertThat(terms.loss().item_double()).isCloseTo(loss, within(SIX_DECIMALS));
        assertThat(terms.clipFraction().item_double()).isEqualTo(clipped);
        assertThat(now.grad().item_double()).isCloseTo(gradient, within(SIX_DECIMALS));
    }

    private static LossConfig divergence(KlType type, boolean unbiased) {
        return config(type, unbiased, 1.0, null, 0.2, 0.28);
    }

    private static LossConfig config(
            KlType type,
            boolean unbiased,
            @Nullable Double klCoefficient,
            @Nullable Double opsmDelta,
            double clipLow,
            double clipHigh) {
        return new LossConfig(
                "grpo",
                clipLow,
                clipHigh,
                null,
                klCoefficient == null ? 0 : klCoefficient,
                0,
                0,
                OldLogprobs.BATCH,
                null,
                1e-3,
                LossConfig.Optimizer.DEFAULT,
                type,
                unbiased,
                opsmDelta,
                null);
    }

    private static TokenScores scores(Tensor logprobs) {
        return new TokenScores(logprobs, logprobs.mul(logprobs));
    }

    private static Tensor row(float... values) {
        return Tensors.of(values, 1, values.length);
    }
}
