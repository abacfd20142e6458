package dev.sluice.cpu.worker;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.sluice.cpu.model.Tensors;
import dev.sluice.cpu.model.TokenScores;
import dev.sluice.workerapi.TrainMetrics.Mismatch;
import java.util.Map;
import java.util.Objects;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Expected values: common/worker-api's golden losses, which the Megatron worker is held to as well. */
class GoldenLossTest {
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

    @ParameterizedTest
    @MethodSource("dev.sluice.cpu.worker.GoldenLosses#policy")
    void aPolicyLossItsFiguresAndItsGradientAreTheGoldenOnes(GoldenLosses.Case golden) {
        Tensor current = golden.column("current").set_requires_grad(true);
        Tensor entropy = golden.columnOrNull("entropy");
        TokenScores scores = new TokenScores(current, entropy == null ? torch.zeros_like(current.detach()) : entropy);

        PolicyLoss.Terms terms = PolicyLoss.of(scores, given(golden), golden.objective());
        terms.loss().backward();

        Map<String, Tensor> figures = Map.of(
                "loss", terms.loss(),
                "policyGradient", terms.policyGradient(),
                "entropy", terms.entropy(),
                "kl", terms.kl(),
                "klLoss", terms.klLoss(),
                "clipFraction", terms.clipFraction(),
                "ratio", terms.ratio());
        figures.forEach((name, figure) -> {
            if (golden.expects(name)) {
                assertClose(golden, figure.item_double(), name);
            }
        });
        if (golden.expects("masked")) {
            assertClose(golden, Objects.requireNonNull(terms.masked()).item_double(), "masked");
        }
        if (golden.expects("gradient")) {
            assertThat(Tensors.floats(current.grad())).containsExactly(golden.expectedTokens("gradient"), within((float)
                    GoldenLosses.gradientTolerance()));
        }
    }

    @ParameterizedTest
    @MethodSource("dev.sluice.cpu.worker.GoldenLosses#weighed")
    void weightsOfAMismatchAndTheirFiguresAreTheGoldenOnes(GoldenLosses.Case golden) {
        MismatchWeights weights = MismatchWeights.of(
                golden.column("old"),
                golden.column("rollout"),
                golden.column("weights"),
                Objects.requireNonNull(golden.objective().mismatchCorrection()));

        assertThat(Tensors.floats(weights.byToken()))
                .containsExactly(golden.expectedTokens("tokenWeights"), within((float) golden.tolerance()));
        if (golden.expects("mismatch")) {
            Mismatch figures = weights.figures();
            assertClose(golden, figures.ratio(), "mismatch", "ratio");
            assertClose(golden, figures.clipFraction(), "mismatch", "clipFraction");
            assertClose(golden, figures.distance(), "mismatch", "distance");
        }
    }

    @ParameterizedTest
    @MethodSource("dev.sluice.cpu.worker.GoldenLosses#value")
    void aValueLossAndItsGradientAreTheGoldenOnes(GoldenLosses.Case golden) {
        Tensor values = golden.column("values").set_requires_grad(true);

        ValueLoss terms = ValueLoss.of(
                values,
                golden.column("old"),
                golden.column("returns"),
                golden.column("weights"),
                golden.json().path("clip").doubleValue());
        terms.loss().backward();

        assertClose(golden, terms.loss().item_double(), "loss");
        assertClose(golden, terms.clipFraction().item_double(), "clipFraction");
        assertThat(Tensors.floats(values.grad()))
                .containsExactly(golden.expectedTokens("gradient"), within((float) GoldenLosses.gradientTolerance()));
    }

    private static void assertClose(GoldenLosses.Case golden, double figure, String... path) {
        assertThat(figure).as(String.join(".", path)).isCloseTo(golden.expected(path), within(golden.tolerance()));
    }

    private static PolicyLoss.Given given(GoldenLosses.Case golden) {
        Tensor old = golden.column("old");
        Tensor rollout = golden.columnOrNull("rollout");
        return new PolicyLoss.Given(
                old,
                rollout == null ? old : rollout,
                golden.columnOrNull("reference"),
                golden.column("advantages"),
                golden.column("weights"));
    }
}
