package dev.sluice.cpu.example;

import dev.sluice.cpu.model.AdamW;
import dev.sluice.cpu.model.Model;
import dev.sluice.cpu.model.Tensors;
import dev.sluice.cpu.model.Weights;
import dev.sluice.cpu.worker.PolicyTrainer;
import dev.sluice.workerapi.LossConfig;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.random.RandomGenerator;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;

/**
 * Teaches a fresh model a mixed-quality corpus by next-token prediction, its multi-token-prediction layer included.
 *
 * <p>The corpus is right only part of the time: the honest small analogue of a pretrained model, whose behaviours are of mixed
 * quality and from which reinforcement learning selects.
 */
@SuppressWarnings("try") // scopes work by being open
final class WarmUp {
    private static final int BATCH = 128;
    private static final double PEAK_LEARNING_RATE = 2e-3;
    private static final int RISE_STEPS = 20;
    private static final double MTP_LOSS_SCALE = 0.3;

    private final CharacterTokenizer tokenizer;
    private final double right;
    private final RandomGenerator random;

    /** @param right probability that an answer of the corpus is right */
    WarmUp(CharacterTokenizer tokenizer, double right, RandomGenerator random) {
        this.tokenizer = tokenizer;
        this.right = right;
        this.random = random;
    }

    /** Fresh weights: norms 1, router biases 0, the embedding N(0, 0.5), the rest N(0, 1/sqrt(inputs)). */
    void initialise(Weights weights) {
        weights.slices().stream().filter(slice -> !slice.copy()).forEach(slice -> {
            try (PointerScope scope = new PointerScope()) {
                long[] shape = slice.shape().stream().mapToLong(Long::longValue).toArray();
                float[] values = new float[Math.toIntExact(weights.view(slice).numel())];
                double deviation = slice.fused().equals("embed") ? 0.5 : 1 / Math.sqrt(shape[shape.length - 1]);
                for (int i = 0; i < values.length; i++) {
                    boolean matrix = shape.length > 1;
                    float constant = Weights.isTrainable(slice.fused()) ? 1 : 0;
                    values[i] = matrix ? (float) (deviation * random.nextGaussian()) : constant;
                }
                Tensor tensor = Tensors.of(values, shape);
                weights.put(slice.name(), tensor);
            }
        });
    }

    void train(Model model, int steps) {
        try (AdamW optimizer = new AdamW(model.weights())) {
            PolicyTrainer trainer = new PolicyTrainer(model, optimizer);
            for (int step = 0; step < steps; step++) {
                trainer.train(corpus().pack(step), nextTokenPrediction(learningRate(step, steps)));
            }
        }
    }

    /**
     * With the current policy as the old one the ratio is 1, and with advantage 1 the objective's gradient is that of the
     * mean log-likelihood: next-token prediction needs no loss of its own.
     */
    private static LossConfig nextTokenPrediction(double learningRate) {
        return new LossConfig(
                "grpo",
                0.2,
                0.2,
                null,
                0,
                0,
                MTP_LOSS_SCALE,
                LossConfig.OldLogprobs.CURRENT,
                null,
                learningRate,
                new LossConfig.Optimizer(0, 0.9, 0.999, 1e-8, 1.0));
    }

    private static double learningRate(int step, int steps) {
        double rise = Math.min(1, (step + 1.0) / RISE_STEPS);
        double fall = 0.1 + 0.9 * 0.5 * (1 + Math.cos(Math.PI * step / steps));
        return PEAK_LEARNING_RATE * rise * fall;
    }

    private TaskBatch corpus() {
        List<TaskBatch.Text> texts = new ArrayList<>();
        int promptLength = 0;
        for (int i = 0; i < BATCH; i++) {
            SortingTask.Row row = SortingTask.row(random);
            promptLength = row.prompt().length();
            int[] answered = tokenizer.encode(row.prompt() + SortingTask.corpusAnswer(row, right, random));
            int[] ids = Arrays.copyOf(answered, answered.length + 1);
            ids[answered.length] = CharacterTokenizer.END;
            texts.add(new TaskBatch.Text(ids, new float[ids.length], 1));
        }
        return new TaskBatch(promptLength, texts);
    }
}
