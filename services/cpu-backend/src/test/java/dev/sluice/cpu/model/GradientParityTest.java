package dev.sluice.cpu.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.Map;
import java.util.TreeMap;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.junit.jupiter.api.Test;

/** Expected values: autograd of transformers 5.17.0 on the CPU, float32 (parity_train_hf). */
@SuppressWarnings("try") // scopes work by being open
class GradientParityTest {
    private static final double RELATIVE_TOLERANCE = 1e-4;

    private final Map<String, Tensor> expected = ParityFixtures.read("parity_train_hf");

    @Test
    void everyGradientOfNextTokenPredictionIsThatOfTransformers() {
        Tensors.useOneThread();
        Weights weights = ParityFixtures.weights(ParityFixtures.TRANSFORMERS_LATENT_EPSILON);
        AdamW optimizer = new AdamW(weights);
        Model model = new Model(weights);
        try (PointerScope scope = new PointerScope()) {
            Tensor ids = expected.get("tokens").to(ScalarType.Long);

            Tensor logits = model.logits(model.hidden(ids)).narrow(1, 0, 23);
            Tensor loss = TokenScores.crossEntropy(logits, ids.narrow(1, 1, 23)).mean();
            loss.backward();

            assertThat(loss.item_double()).isCloseTo(expected.get("nll.loss").item_double(), within(2e-5));
            assertThat(optimizer.gradientNorm(name -> true))
                    .isCloseTo(expected.get("nll.grad_norm").item_double(), within(1e-4));
            assertThat(differences(weights))
                    .hasSize(89)
                    .allSatisfy((name, difference) ->
                            assertThat(difference).as(name).isLessThan(RELATIVE_TOLERANCE));
        }
    }

    private Map<String, Double> differences(Weights weights) {
        Map<String, Double> differences = new TreeMap<>();
        for (WeightSlice slice : weights.slices()) {
            Tensor gradient = expected.get("nll.grad." + slice.name());
            if (gradient != null) {
                differences.put(slice.name(), ParityFixtures.relativeDifference(weights.gradient(slice), gradient));
            }
        }
        return differences;
    }
}
