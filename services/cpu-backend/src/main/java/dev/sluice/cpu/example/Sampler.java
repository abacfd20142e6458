package dev.sluice.cpu.example;

import dev.sluice.cpu.model.Model;
import dev.sluice.cpu.model.Tensors;
import java.util.List;
import java.util.random.RandomGenerator;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Tensor;

/** Draws answers by computing the whole text again for each token: slow, without a cache, and plainly right. */
@SuppressWarnings("try") // scopes and guards work by being open
final class Sampler {
    private final Model model;
    private final RandomGenerator random;

    Sampler(Model model, RandomGenerator random) {
        this.model = model;
        this.random = random;
    }

    /**
     * Texts of equal length with what was drawn after their prompts.
     *
     * @param ids [texts][prompt length + answer length]; after an end token only padding
     * @param logprobs of the drawn tokens, 0 elsewhere
     */
    record Drawn(int[][] ids, float[][] logprobs) {}

    /**
     * Continues prompts of equal length at temperature 1.
     *
     * @param answerLength tokens to draw at most, the end token included
     */
    Drawn draw(List<int[]> prompts, int answerLength) {
        int promptLength = prompts.getFirst().length;
        int texts = prompts.size();
        int[][] ids = new int[texts][promptLength + answerLength];
        float[][] logprobs = new float[texts][promptLength + answerLength];
        boolean[] ended = new boolean[texts];
        for (int text = 0; text < texts; text++) {
            System.arraycopy(prompts.get(text), 0, ids[text], 0, promptLength);
        }
        for (int t = promptLength; t < promptLength + answerLength; t++) {
            float[][] next = nextLogprobs(ids, t);
            for (int text = 0; text < texts; text++) {
                // One number a text and position whether it has ended or not, so that texts do not shift each other's.
                double uniform = random.nextDouble();
                if (!ended[text]) {
                    int token = pick(next[text], uniform);
                    ids[text][t] = token;
                    logprobs[text][t] = next[text][token];
                    ended[text] = token == CharacterTokenizer.END;
                }
            }
        }
        return new Drawn(ids, logprobs);
    }

    private float[][] nextLogprobs(int[][] ids, int length) {
        long[] flat = new long[ids.length * length];
        for (int text = 0; text < ids.length; text++) {
            for (int t = 0; t < length; t++) {
                flat[text * length + t] = ids[text][t];
            }
        }
        try (NoGradGuard noGrad = new NoGradGuard();
                PointerScope scope = new PointerScope()) {
            Tensor last = model.hidden(Tensors.of(flat, ids.length, length)).narrow(1, length - 1, 1);
            float[] logprobs = Tensors.floats(model.logits(last).log_softmax(-1));
            int vocabulary = logprobs.length / ids.length;
            float[][] rows = new float[ids.length][vocabulary];
            for (int text = 0; text < ids.length; text++) {
                System.arraycopy(logprobs, text * vocabulary, rows[text], 0, vocabulary);
            }
            return rows;
        }
    }

    private static int pick(float[] logprobs, double uniform) {
        double cumulative = 0;
        for (int token = 0; token < logprobs.length - 1; token++) {
            cumulative += Math.exp(logprobs[token]);
            if (uniform < cumulative) {
                return token;
            }
        }
        return logprobs.length - 1;
    }
}
