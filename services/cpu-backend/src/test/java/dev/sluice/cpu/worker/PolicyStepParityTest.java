package dev.sluice.cpu.worker;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.sluice.cpu.model.AdamW;
import dev.sluice.cpu.model.Model;
import dev.sluice.cpu.model.ParityFixtures;
import dev.sluice.cpu.model.Tensors;
import dev.sluice.cpu.model.TokenScores;
import dev.sluice.cpu.model.WeightSlice;
import dev.sluice.cpu.model.Weights;
import dev.sluice.workerapi.Batch;
import dev.sluice.workerapi.LossConfig;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/**
 * One GRPO step on two samples of 24 tokens, the first seven a prompt. Expected values: transformers 5.17.0, torch's autograd,
 * clip_grad_norm_ and AdamW, float32 (parity_train_hf).
 */
@SuppressWarnings("try") // scopes work by being open
class PolicyStepParityTest {
    private static final int LENGTH = 24;
    private static final int PROMPT = 8;
    private static final double RELATIVE_TOLERANCE = 1e-4;

    private final Map<String, Tensor> expected = ParityFixtures.read("parity_train_hf");
    private Weights weights;
    private Model model;
    private AdamW optimizer;

    @BeforeEach
    void loadModel() {
        Tensors.useOneThread();
        weights = ParityFixtures.weights(ParityFixtures.TRANSFORMERS_LATENT_EPSILON);
        model = new Model(weights);
        optimizer = new AdamW(weights);
    }

    @Test
    void lossNormAndParametersAfterAStepAreThoseOfTorch() {
        PolicyTrainer trainer = new PolicyTrainer(model, optimizer);

        StepSums sums = trainer.train(batch(), loss());

        assertThat(sums.metrics(batch(), 1).loss())
                .isCloseTo(expected.get("grpo.loss").item_double(), within(1e-5));
        assertThat(sums.metrics(batch(), 1).gradNorm())
                .isCloseTo(expected.get("grpo.grad_norm").item_double(), within(1e-4));
        assertThat(differences("grpo.adamw1."))
                .hasSize(13)
                .allSatisfy(
                        (name, difference) -> assertThat(difference).as(name).isLessThan(RELATIVE_TOLERANCE));
    }

    @Test
    void logitsAfterTheStepAreThoseOfTorch() {
        Tensor ids = expected.get("tokens").to(ScalarType.Long);

        new PolicyTrainer(model, optimizer).train(batch(), loss());

        try (PointerScope scope = new PointerScope()) {
            Tensor logits = model.logits(model.hidden(ids));
            // AdamW's first step moves every weight by about the learning rate however small its gradient is, so
            // rounding
            // shows more than in a plain forward.
            assertThat(ParityFixtures.relativeDifference(logits, expected.get("grpo.logits_after_step")))
                    .isLessThan(RELATIVE_TOLERANCE);
        }
    }

    @Test
    void clippingAndGradientsAreThoseOfTorch() {
        try (PointerScope scope = new PointerScope()) {
            Tensor ids = expected.get("tokens").to(ScalarType.Long);
            Tensor logits = model.logits(model.hidden(ids)).narrow(1, 0, LENGTH - 1);
            TokenScores scores = TokenScores.of(logits, ids.narrow(1, 1, LENGTH - 1), 1);
            PolicyLoss.Given given = new PolicyLoss.Given(
                    expected.get("grpo.old_logprobs"),
                    expected.get("grpo.old_logprobs"),
                    null,
                    expected.get("grpo.advantages").unsqueeze(-1),
                    new PaddedSamples(batch(), List.of(0, 1)).weights(2));

            PolicyLoss.of(scores, given, loss()).loss().backward();

            assertThat(gradientDifferences())
                    .hasSize(13)
                    .allSatisfy((name, difference) ->
                            assertThat(difference).as(name).isLessThan(RELATIVE_TOLERANCE));
        }
    }

    private static LossConfig loss() {
        LossConfig.Optimizer adamW = new LossConfig.Optimizer(0.1, 0.9, 0.98, 1e-8, 1.0);
        return new LossConfig("grpo", 0.2, 0.28, null, 0, 0, 0, LossConfig.OldLogprobs.ROLLOUT, null, 1e-3, adamW);
    }

    /** The fixture's two samples; its columns by target position become columns by token. */
    private Batch batch() {
        int[] tokens = new int[2 * LENGTH];
        long[] ids = Tensors.longs(expected.get("tokens").to(ScalarType.Long));
        Arrays.setAll(tokens, t -> (int) ids[t]);
        byte[] mask = new byte[2 * LENGTH];
        float[] advantages = new float[2 * LENGTH];
        float[] old = new float[2 * LENGTH];
        float[] expectedMask = Tensors.floats(expected.get("grpo.mask"));
        float[] expectedOld = Tensors.floats(expected.get("grpo.old_logprobs"));
        float[] expectedAdvantages = Tensors.floats(expected.get("grpo.advantages"));
        for (int sample = 0; sample < 2; sample++) {
            for (int t = PROMPT; t < LENGTH; t++) {
                int target = sample * (LENGTH - 1) + t - 1;
                mask[sample * LENGTH + t] = (byte) expectedMask[target];
                old[sample * LENGTH + t] = expectedOld[target];
                advantages[sample * LENGTH + t] = expectedAdvantages[sample];
            }
        }
        float response = LENGTH - PROMPT;
        return new Batch(
                new Batch.Header(
                        "parity", 1, 0, 1, 1, 0, new Batch.LossNormaliser(Batch.LossNormaliser.Kind.SAMPLE, 0)),
                tokens,
                new int[] {0, LENGTH, 2 * LENGTH},
                new int[] {PROMPT, PROMPT},
                new long[2],
                new int[2],
                new float[] {response, response},
                new byte[2],
                mask,
                advantages,
                old,
                new int[2 * LENGTH],
                new int[6],
                Map.of());
    }

    private Map<String, Double> differences(String prefix) {
        Map<String, Double> differences = new TreeMap<>();
        for (WeightSlice slice : weights.slices()) {
            Tensor tensor = expected.get(prefix + slice.name());
            if (tensor != null) {
                differences.put(slice.name(), ParityFixtures.relativeDifference(weights.view(slice), tensor));
            }
        }
        return differences;
    }

    private Map<String, Double> gradientDifferences() {
        Map<String, Double> differences = new TreeMap<>();
        for (WeightSlice slice : weights.slices()) {
            Tensor tensor = expected.get("grpo.grad." + slice.name());
            if (tensor != null) {
                differences.put(slice.name(), ParityFixtures.relativeDifference(weights.gradient(slice), tensor));
            }
        }
        return differences;
    }
}
