package dev.sluice.cpu.worker;

import dev.sluice.cpu.model.AdamW;
import dev.sluice.cpu.model.Model;
import dev.sluice.workerapi.Batch;
import dev.sluice.workerapi.LossConfig;
import dev.sluice.workerapi.LossConfig.CriticLoss;
import dev.sluice.workerapi.TrainMetrics;
import dev.sluice.workerapi.WorkerErrorCode;
import dev.sluice.workerapi.WorkerException;
import java.util.List;
import java.util.function.Predicate;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;

/** Trains a critic on a batch's returns, in the same optimizer steps as the policy and as deterministic. */
@SuppressWarnings("try") // scopes work by being open
final class CriticTrainer {
    private final Model model;
    private final AdamW optimizer;

    CriticTrainer(Policy critic) {
        this.model = critic.model();
        this.optimizer = critic.optimizer();
    }

    /**
     * Trains one step.
     *
     * @throws WorkerException if the batch does not fit (nothing has changed then), or with NOT_FINITE if a gradient
     *     overflowed; weights of earlier optimizer steps have changed then
     */
    TrainMetrics.Critic train(Batch batch, LossConfig config, CriticLoss critic) {
        PaddedSamples.refuseMisfit(batch, model.weights().config());
        float[] values = PolicyTrainer.column(batch, Batch.Column.VALUES);
        float[] returns = PolicyTrainer.column(batch, Batch.Column.RETURNS);
        String mtp = "layers." + model.weights().config().layers() + ".";
        Predicate<String> trained = name -> !name.startsWith(mtp);
        AdamW.Coefficients coefficients = PolicyTrainer.coefficients(config, critic.learningRate());
        List<List<Schedule.Slice>> steps = Schedule.of(batch);
        double loss = 0;
        double clipped = 0;
        double norms = 0;
        for (int step = 0; step < steps.size(); step++) {
            optimizer.zeroGradients();
            double divisor = LossDivisor.of(batch, step);
            for (Schedule.Slice slice : steps.get(step)) {
                try (PointerScope scope = new PointerScope()) {
                    PaddedSamples samples = new PaddedSamples(batch, slice.samples());
                    Tensor now = BatchScorer.values(model, samples.ids());
                    ValueLoss terms = ValueLoss.of(
                            now,
                            samples.column(values),
                            samples.column(returns),
                            samples.weights(divisor),
                            critic.valueClip());
                    terms.loss().backward();
                    loss += terms.loss().item_double();
                    clipped += terms.clipFraction().item_double();
                }
            }
            double norm = optimizer.gradientNorm(trained);
            if (!Double.isFinite(norm)) {
                throw new WorkerException(
                        WorkerErrorCode.NOT_FINITE,
                        "the critic's gradient norm of optimizer step " + step + " is " + norm,
                        "load the last cut and lower the critic's learning rate");
            }
            optimizer.step(coefficients, norm, trained);
            norms += norm;
        }
        return new TrainMetrics.Critic(loss / steps.size(), clipped / steps.size(), norms / steps.size());
    }
}
