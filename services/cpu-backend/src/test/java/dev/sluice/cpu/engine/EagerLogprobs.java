package dev.sluice.cpu.engine;

import dev.sluice.checkpoint.HuggingFaceCheckpoint;
import dev.sluice.cpu.model.Model;
import dev.sluice.cpu.model.Tensors;
import dev.sluice.cpu.model.Weights;
import java.nio.file.Path;
import java.util.stream.IntStream;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/** Log-probabilities by the eager model over whole sequences: no cache, no batching, no TorchScript. */
@SuppressWarnings("try") // scopes and guards work by being open
final class EagerLogprobs {
    private EagerLogprobs() {}

    /** Those of the output's tokens. */
    static double[] of(Path modelDirectory, int[] prompt, int[] output, double temperature) {
        try (HuggingFaceCheckpoint checkpoint = HuggingFaceCheckpoint.open(modelDirectory);
                Weights weights = Weights.load(checkpoint)) {
            int[] tokens =
                    IntStream.concat(IntStream.of(prompt), IntStream.of(output)).toArray();
            float[] logprobs = logprobs(weights, tokens, temperature);
            int vocabulary = weights.config().vocabularySize();
            return IntStream.range(0, output.length)
                    .mapToDouble(i -> logprobs[(prompt.length + i - 1) * vocabulary + output[i]])
                    .toArray();
        }
    }

    /** Probabilities of the token after a single one. */
    static double[] law(Weights weights, int token) {
        float[] logprobs = logprobs(weights, new int[] {token}, 1);
        return IntStream.range(0, logprobs.length)
                .mapToDouble(i -> Math.exp(logprobs[i]))
                .toArray();
    }

    /** Scores of the token after a single one. */
    static double[] scores(Weights weights, int token) {
        try (NoGradGuard noGrad = new NoGradGuard();
                PointerScope scope = new PointerScope();
                Model model = new Model(weights)) {
            float[] scores = Tensors.floats(model.logits(model.hidden(Tensors.of(new long[] {token}, 1, 1))));
            return IntStream.range(0, scores.length).mapToDouble(i -> scores[i]).toArray();
        }
    }

    private static float[] logprobs(Weights weights, int[] tokens, double temperature) {
        try (NoGradGuard noGrad = new NoGradGuard();
                PointerScope scope = new PointerScope();
                Model model = new Model(weights)) {
            long[] ids = IntStream.of(tokens).asLongStream().toArray();
            Tensor logits = model.logits(model.hidden(Tensors.of(ids, 1, ids.length)));
            return Tensors.floats(torch.log_softmax(logits.div(new Scalar(temperature)), -1));
        }
    }
}
