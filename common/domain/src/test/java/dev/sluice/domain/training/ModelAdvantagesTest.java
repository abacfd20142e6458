package dev.sluice.domain.training;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.sluice.domain.training.AdvantageRule.Terms;
import dev.sluice.events.Algorithm.KlType;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * Expected numbers: slime's compute_approx_kl, get_reinforce_plus_plus_returns,
 * get_reinforce_plus_plus_baseline_advantages, get_advantages_and_returns, apply_opd_kl_to_advantages and
 * distributed_masked_whiten, written out in plain Python and evaluated to six decimals.
 */
class ModelAdvantagesTest {
    private static final float SIX_DECIMALS = 1e-6f;

    /** Three responses; the middle one has a masked token within and one at its end. */
    private static final byte[][] MASKS = {{1, 1, 1}, {1, 0, 1, 1, 0}, {1, 1}};

    private static final double[][] DIFFERENCES = {{0.1, -0.1, 3}, {0.2, 0.5, -0.3, 0, 0.7}, {-3, 0.05}};
    private static final double[][] VALUES = {{.1, .2, .3}, {.5, .4, .3, .2, .1}, {-.2, .6}};

    private final BatchRows rows = Rows.of(new int[] {0, 0, 1}, new double[] {1, -0.5, 2}, MASKS);

    @ParameterizedTest
    @CsvSource({
        "K1, 0.1, 0.1",
        "K2, 0.1, 0.005",
        "K3, 0.1, 0.004837418",
        "K3, -0.1, 0.005170918",
        "K3, 3, 2.049787",
        "K3, -3, 16.085537",
        "LOW_VAR_KL, 3, 2.049787",
        "LOW_VAR_KL, -3, 10"
    })
    void theDivergenceOfATokenIsSchulmansEstimators(KlType type, double difference, double expected) {
        assertThat(KlEstimator.of(type, difference)).isCloseTo(expected, within(1e-6));
    }

    @Test
    void aDivergenceLowersTheRewardsOfTrainedTokensInReinforcePlusPlus() {
        TokenAdvantages advantages = rule(AdvantageEstimator.REINFORCE_PLUS_PLUS, 0.9, false, KlType.K3, 0.1)
                .of(rows, withReference());

        assertClose(
                advantages.advantages(),
                0.643018f,
                0.715002f,
                0.795021f,
                -0.370412f,
                -0.409487f,
                -0.454986f,
                -0.5f,
                0,
                0.191336f,
                1.999877f);
        assertThat(advantages.divergence()).isCloseTo(2.276894, within(1e-6));
        assertThat(advantages.returns()).isNull();
    }

    @Test
    void whatRemainsIsWhitened() {
        TokenAdvantages advantages = rule(AdvantageEstimator.REINFORCE_PLUS_PLUS, 0.9, true, KlType.K3, 0.1)
                .of(rows, withReference());

        assertClose(
                advantages.advantages(),
                0.312839f,
                0.397607f,
                0.491836f,
                -0.880563f,
                -0.926578f,
                -0.980157f,
                -1.033165f,
                -0.444371f,
                -0.219057f,
                1.91066f);
    }

    @Test
    void theBaselineFormTakesEachTokensOwnDivergence() {
        TokenAdvantages advantages = rule(
                        AdvantageEstimator.REINFORCE_PLUS_PLUS_BASELINE, 1, true, KlType.LOW_VAR_KL, 0.2)
                .of(rows, withReference());

        assertClose(
                advantages.advantages(),
                1.117185f,
                1.117115f,
                0.682966f,
                -0.478297f,
                -0.474319f,
                -0.484906f,
                -0.474319f,
                -0.474319f,
                -1.801429f,
                0.321686f);
    }

    @Test
    void ppoEstimatesAdvantagesOverACriticsValues() {
        AdvantageRule rule =
                new AdvantageRule(AdvantageEstimator.PPO, true, 0.9, false, new Terms(true, 0.95, 0.1, KlType.K1, 0));

        TokenAdvantages advantages = rule.of(
                rows,
                new ModelScores(withReference().old(), withReference().reference(), null, Rows.column(rows, VALUES)));

        assertClose(
                advantages.advantages(),
                0.43081f,
                0.422f,
                0.4f,
                -0.726334f,
                -0.662379f,
                -0.622665f,
                -0.623f,
                -0.6f,
                2.232725f,
                1.395f);
        assertClose(
                advantages.returns(),
                0.53081f,
                0.622f,
                0.7f,
                -0.226334f,
                -0.262379f,
                -0.322665f,
                -0.423f,
                -0.5f,
                2.032725f,
                1.995f);
        assertThat(advantages.divergence()).isCloseTo(-0.00625, within(1e-6));
    }

    /** r = [0, 0, 1], V = [.1, .2, .3]. */
    @ParameterizedTest
    @CsvSource({"1, 1, 0.9, 0.8, 0.7, 1, 1", "0.9, 0.95, 0.651567, 0.6685, 0.7, 0.751567, 0.8685"})
    void generalisedAdvantagesAreThoseOfThePaper(
            double gamma, double lambda, float first, float second, float third, float return1, float return2) {
        BatchRows one = Rows.of(new int[1], new double[] {1}, new byte[][] {{1, 1, 1}});
        AdvantageRule rule =
                new AdvantageRule(AdvantageEstimator.PPO, true, gamma, false, new Terms(true, lambda, 0, KlType.K1, 0));

        TokenAdvantages advantages =
                rule.of(one, new ModelScores(null, null, null, Rows.column(one, new double[][] {{.1, .2, .3}})));

        assertThat(Rows.responses(one, advantages.advantages()))
                .containsExactly(new float[] {first, second, third}, within(SIX_DECIMALS));
        assertThat(Rows.responses(one, advantages.returns()))
                .containsExactly(new float[] {return1, return2, 1}, within(SIX_DECIMALS));
    }

    @Test
    void aTeacherLowersAdvantagesWherePolicyIsMoreCertainThanIt() {
        BatchRows oneGroup = Rows.of(new int[3], new double[] {1, -0.5, 2}, MASKS);
        AdvantageRule rule =
                new AdvantageRule(AdvantageEstimator.GRPO, true, 1, false, new Terms(true, 1, 0, KlType.K1, 0.5));
        float[] teacher = withReference().reference();

        TokenAdvantages advantages =
                rule.of(oneGroup, new ModelScores(withReference().old(), null, teacher, null));

        assertThat(Rows.responses(oneGroup, advantages.advantages()))
                .containsExactly(
                        new float[] {
                            0.082453f,
                            0.182453f,
                            -1.367547f,
                            -1.159624f,
                            -1.309624f,
                            -0.909624f,
                            -1.059624f,
                            -1.409624f,
                            2.427171f,
                            0.902171f
                        },
                        within(2e-6f));
        assertThat(advantages.teacherDivergence()).isCloseTo(-0.00625, within(1e-6));
    }

    /** A batch is logged before models are asked. */
    @Test
    void withoutModelsRewardsAloneCount() {
        rule(AdvantageEstimator.PPO, 1, false, KlType.K1, 0.1).fill(rows);

        assertClose(rows.advantages(), 1, 1, 1, -0.5f, -0.5f, -0.5f, -0.5f, -0.5f, 2, 2);
    }

    @Test
    void rewardsThatAreNotNormalisedAreAdvantages() {
        AdvantageRule rule =
                new AdvantageRule(AdvantageEstimator.GRPO, true, 1, false, new Terms(false, 1, 0, KlType.K1, 0));

        rule.fill(rows);

        assertClose(rows.advantages(), 1, 1, 1, -0.5f, -0.5f, -0.5f, -0.5f, -0.5f, 2, 2);
    }

    private static AdvantageRule rule(
            AdvantageEstimator estimator, double gamma, boolean whiten, KlType type, double coefficient) {
        return new AdvantageRule(estimator, true, gamma, whiten, new Terms(true, 1, coefficient, type, 0));
    }

    private ModelScores withReference() {
        float[] old = new float[rows.tokens().length];
        float[] reference = Rows.column(rows, DIFFERENCES);
        for (int t = 0; t < old.length; t++) {
            old[t] = -1;
            reference[t] = old[t] - reference[t];
        }
        return new ModelScores(old, reference, null, null);
    }

    private void assertClose(float[] actual, float... expected) {
        assertThat(Rows.responses(rows, actual)).containsExactly(expected, within(SIX_DECIMALS));
    }
}
