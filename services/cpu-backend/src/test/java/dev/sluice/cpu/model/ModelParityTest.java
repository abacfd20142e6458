package dev.sluice.cpu.model;

import static dev.sluice.cpu.model.ParityFixtures.OUR_LATENT_EPSILON;
import static dev.sluice.cpu.model.ParityFixtures.TRANSFORMERS_LATENT_EPSILON;
import static dev.sluice.cpu.model.ParityFixtures.maxDifference;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.HashMap;
import java.util.Map;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.LongOptional;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Expected values: transformers 5.17.0 (parity_hf) and Megatron-Core (parity_mcore), float32, same weights and tokens. */
class ModelParityTest {
    /** Of logits and states at equal epsilon, as the fixtures' README has it. */
    private static final double TOLERANCE = 2e-5;

    private final Map<String, Tensor> transformers = ParityFixtures.read("parity_hf");
    private final Map<String, Tensor> megatron = ParityFixtures.read("parity_mcore");
    private final Map<String, Tensor> seen = new HashMap<>();
    private PointerScope scope;
    private NoGradGuard noGrad;
    private Tensor ids;

    @BeforeEach
    void openScope() {
        Tensors.useOneThread();
        scope = new PointerScope();
        noGrad = new NoGradGuard();
        ids = transformers.get("tokens").to(ScalarType.Long);
    }

    @AfterEach
    void closeScope() {
        noGrad.close();
        scope.close();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "embed",
                "layer0.attn",
                "layer0.mlp",
                "layer0.out",
                "layer1.attn",
                "layer1.router_logits",
                "layer1.mlp",
                "layer1.out",
                "layer2.attn",
                "layer2.router_logits",
                "layer2.mlp",
                "layer2.out"
            })
    void everyStateOfEveryLayerIsThatOfTransformers(String place) {
        Model model = model(TRANSFORMERS_LATENT_EPSILON);

        model.hidden(ids);

        assertThat(maxDifference(seen.get(place), transformers.get("hf." + place)))
                .isLessThan(TOLERANCE);
    }

    @Test
    void logitsAreThoseOfTransformersAtEitherEpsilon() {
        Model same = model(TRANSFORMERS_LATENT_EPSILON);
        Model ours = model(OUR_LATENT_EPSILON);

        Tensor sameLogits = same.logits(same.hidden(ids));
        Tensor ourLogits = ours.logits(ours.hidden(ids));

        assertThat(maxDifference(sameLogits, transformers.get("hf.logits"))).isLessThan(TOLERANCE);
        assertThat(maxDifference(ourLogits, transformers.get("hf_eps1e5.logits")))
                .isLessThan(TOLERANCE);
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2})
    void everyTokenGoesToTheExpertsThatTransformersChooses(int layer) {
        Model model = model(TRANSFORMERS_LATENT_EPSILON);

        model.hidden(ids);

        // The fixture lists a token's experts in ascending order.
        Tensor chosen = seen.get("layer" + layer + ".topk_idx").sort(-1, false).get0();
        assertThat(Tensors.longs(chosen))
                .isEqualTo(Tensors.longs(
                        transformers.get("hf.layer" + layer + ".topk_idx").to(ScalarType.Long)));
    }

    @Test
    void greedyDecodingGivesTheTokensOfTransformers() {
        Model model = model(TRANSFORMERS_LATENT_EPSILON);
        Tensor text = ids.narrow(1, 0, 8);

        while (text.size(1) < 24) {
            Tensor last = model.hidden(text).narrow(1, text.size(1) - 1, 1);
            Tensor next = model.logits(last).argmax(new LongOptional(-1), false);
            text = torch.cat(new TensorVector(text, next), 1);
        }

        Tensor expected = transformers.get("hf.greedy_from_8").to(ScalarType.Long);
        assertThat(Tensors.longs(text)).isEqualTo(Tensors.longs(expected));
    }

    @ParameterizedTest
    @ValueSource(strings = {"layer0.out", "layer1.out", "layer2.out"})
    void statesAreThoseOfMegatron(String place) {
        Model model = model(OUR_LATENT_EPSILON);

        model.hidden(ids);

        assertThat(maxDifference(seen.get(place), megatron.get("mcore." + place)))
                .isLessThan(TOLERANCE);
    }

    @Test
    void logitsAreThoseOfMegatronWithoutItsPadding() {
        Model model = model(OUR_LATENT_EPSILON);

        Tensor logits = model.logits(model.hidden(ids));

        Tensor unpadded = megatron.get("mcore.logits").narrow(-1, 0, 300);
        assertThat(maxDifference(logits, unpadded)).isLessThan(TOLERANCE);
    }

    @Test
    void multiTokenPredictionIsThatOfMegatron() {
        Model model = model(OUR_LATENT_EPSILON);

        Tensor predicted = mtpHidden(model);

        // The last position has no next token, so the two need not agree there.
        Tensor expected = megatron.get("mcore.mtp.hidden").narrow(1, 0, 23);
        assertThat(maxDifference(predicted.narrow(1, 0, 23), expected)).isLessThan(TOLERANCE);
        Tensor logits = model.logits(predicted).narrow(1, 0, 23);
        Tensor expectedLogits =
                megatron.get("mcore.mtp.logits").narrow(-1, 0, 300).narrow(1, 0, 23);
        assertThat(maxDifference(logits, expectedLogits)).isLessThan(TOLERANCE);
    }

    @Test
    void multiTokenPredictionIsThatBuiltFromTransformersLayers() {
        Model model = model(TRANSFORMERS_LATENT_EPSILON);

        Tensor logits = model.logits(mtpHidden(model)).narrow(1, 0, 23);

        assertThat(maxDifference(logits, transformers.get("mtp.logits").narrow(1, 0, 23)))
                .isLessThan(TOLERANCE);
    }

    @Test
    void paddingOnTheRightChangesNothingBeforeIt() {
        Model model = model(OUR_LATENT_EPSILON);
        Tensor padding = torch.zeros_like(ids.narrow(1, 0, 5));

        Tensor alone = model.hidden(ids);
        Tensor padded =
                model.hidden(torch.cat(new TensorVector(ids, padding), 1)).narrow(1, 0, 24);

        assertThat(maxDifference(padded, alone)).isLessThan(TOLERANCE);
    }

    private Tensor mtpHidden(Model model) {
        Tensor hidden = model.hidden(ids);
        Tensor next = torch.cat(new TensorVector(ids.narrow(1, 1, 23), torch.zeros_like(ids.narrow(1, 0, 1))), 1);
        return model.mtpHidden(hidden, torch.embedding(model.weights().get("embed"), next));
    }

    private Model model(double latentNormEpsilon) {
        Model model = new Model(ParityFixtures.weights(latentNormEpsilon));
        model.observe(seen::put);
        return model;
    }
}
