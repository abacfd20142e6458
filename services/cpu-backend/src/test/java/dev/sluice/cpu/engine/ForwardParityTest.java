package dev.sluice.cpu.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.sluice.checkpoint.HuggingFaceCheckpoint;
import dev.sluice.checkpoint.SafetensorsFile;
import dev.sluice.cpu.model.Model;
import dev.sluice.cpu.model.Tensors;
import dev.sluice.cpu.model.Weights;
import java.util.Arrays;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.LongOptional;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** The compiled, cached passes against Hugging Face transformers (fixture) and against the eager model. */
@SuppressWarnings("try") // scopes and guards work by being open
class ForwardParityTest {
    private static final int POSITIONS = 40;
    private static Weights weights;
    private static Model model;
    private static Forward forward;
    private static long[] tokens;
    private static float[] expectedLogits;
    private static int rows;
    private static int length;

    @BeforeAll
    static void load() {
        Tensors.useOneThread();
        try (HuggingFaceCheckpoint checkpoint = HuggingFaceCheckpoint.open(TestModels.TINY)) {
            weights = Weights.load(checkpoint);
        }
        model = new Model(weights);
        forward = new Forward(weights, POSITIONS);
        // transformers 5.17 in float32 with SGLang's epsilon in the latent norms; see the fixtures' README.
        try (PointerScope scope = new PointerScope();
                SafetensorsFile file = SafetensorsFile.open(TestModels.TINY.resolveSibling("parity_hf.safetensors"))) {
            Tensor ids = tensor(file, "tokens");
            rows = Math.toIntExact(ids.size(0));
            length = Math.toIntExact(ids.size(1));
            tokens = Tensors.longs(ids.toType(torch.ScalarType.Long));
            expectedLogits = Tensors.floats(tensor(file, "hf_eps1e5.logits"));
        }
    }

    @AfterAll
    static void close() {
        forward.close();
        model.close();
        weights.close();
    }

    @Test
    void aWholePromptHasTransformersDistributions() {
        try (Step step = new Step()) {
            Window window = Window.of(0, rows, length);
            for (int row = 0; row < rows; row++) {
                for (int t = 0; t < length; t++) {
                    window.set(row, t, token(row, t), t);
                }
            }

            Distributions found = step.decode(window).distributions();

            assertThat(found.logprobs()).usingComparatorWithPrecision(2e-5f).containsExactly(expectedLogprobs());
        }
    }

    @Test
    void tokenByTokenTheDistributionsAreTheSame() {
        try (Step step = new Step()) {
            float[] found = new float[expectedLogits.length];
            int vocabulary = weights.config().vocabularySize();
            for (int t = 0; t < length; t++) {
                Window window = Window.of(3, rows, 1);
                for (int row = 0; row < rows; row++) {
                    window.set(row, 0, token(row, t), t);
                }
                float[] logprobs = step.decode(window).distributions().logprobs();
                for (int row = 0; row < rows; row++) {
                    System.arraycopy(logprobs, row * vocabulary, found, (row * length + t) * vocabulary, vocabulary);
                }
            }

            assertThat(found).usingComparatorWithPrecision(2e-5f).containsExactly(expectedLogprobs());
        }
    }

    @Test
    void rowsAtDifferentPositionsDoNotDisturbEachOther() {
        try (Step step = new Step()) {
            // Row 1 lags ten positions behind row 0.
            for (int t = 0; t < length; t++) {
                Window window = Window.of(0, 2, 1);
                window.set(0, 0, token(0, t), t);
                window.set(1, 0, token(1, Math.max(0, t - 10)), Math.max(0, t - 10));
                Distributions found = step.decode(window).distributions();
                assertThat(found.logprob(0, 5)).isCloseTo(expected(0, t, 5), within(2e-5f));
                assertThat(found.logprob(1, 5)).isCloseTo(expected(1, Math.max(0, t - 10), 5), within(2e-5f));
            }
        }
    }

    @Test
    void theDraftingLayerAgreesWithTheEagerModel() {
        try (Step step = new Step()) {
            Tensor ids = Tensors.of(tokens, rows, length);
            Tensor hidden = model.hidden(ids);
            Tensor following = torch.roll(ids, new long[] {-1}, 1);
            Tensor expected = model.mtpHidden(hidden, torch.embedding(weights.get("embed"), following));
            long[] followingIds = Tensors.longs(following);
            long[] positions = new long[rows * length];
            Arrays.setAll(positions, i -> i % length);
            long[] all = new long[rows * length];
            Arrays.setAll(all, i -> i);

            Forward.Drafted found = forward.draft(
                    new Window(0, rows, length, followingIds, positions), hidden, all, 1, step.draftCache);

            assertThat(Tensors.floats(found.hidden()))
                    .usingComparatorWithPrecision(1e-5f)
                    .containsExactly(Tensors.floats(expected));
            assertThat(found.tokens())
                    .containsExactly(Tensors.longs(torch.argmax(model.logits(expected), new LongOptional(-1), false)
                            .view(-1)));
        }
    }

    private static int token(int row, int t) {
        return Math.toIntExact(tokens[row * length + t]);
    }

    private static float[] expectedLogprobs() {
        return Tensors.floats(torch.log_softmax(
                Tensors.of(expectedLogits, rows, length, weights.config().vocabularySize()), -1));
    }

    private static float expected(int row, int t, int token) {
        return expectedLogprobs()[(row * length + t) * weights.config().vocabularySize() + token];
    }

    private static Tensor tensor(SafetensorsFile file, String name) {
        long[] shape = file.tensors().get(name).shape().stream()
                .mapToLong(Long::longValue)
                .toArray();
        return Tensors.of(file.tensors().get(name).dtype(), file.data(name), shape);
    }

    /** Fresh caches, and the scopes that passes need. */
    private static final class Step implements AutoCloseable {
        private final NoGradGuard noGrad = new NoGradGuard();
        private final PointerScope scope = new PointerScope();
        private final LatentCache cache = cache(weights.config().layers());
        private final LatentCache draftCache = cache(1);

        private static LatentCache cache(int layers) {
            return new LatentCache(
                    forward.type(),
                    layers,
                    8,
                    POSITIONS,
                    weights.config().attention().cacheWidth());
        }

        Forward.Decoded decode(Window window) {
            long[] picks = new long[window.ids().length];
            Arrays.setAll(picks, i -> i);
            float[] temperatures = new float[picks.length];
            Arrays.fill(temperatures, 1);
            return forward.target(window, picks, temperatures, cache);
        }

        @Override
        public void close() {
            cache.close();
            draftCache.close();
            scope.close();
            noGrad.close();
        }
    }
}
