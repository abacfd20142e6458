package dev.sluice.cpu.worker;

import dev.sluice.cpu.model.AdamW;
import dev.sluice.cpu.model.Model;
import dev.sluice.cpu.model.ModelConfig;
import dev.sluice.cpu.model.TokenScores;
import dev.sluice.cpu.model.Weights;
import dev.sluice.workerapi.Batch;
import dev.sluice.workerapi.LossConfig;
import dev.sluice.workerapi.WorkerErrorCode;
import dev.sluice.workerapi.WorkerException;
import java.util.List;
import java.util.function.Predicate;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/**
 * Trains a policy on batches: for each optimizer step forward, loss and backward of its slices, then one clipped AdamW step.
 *
 * <p>Deterministic: one thread, fixed order, no random numbers. Use it from one thread only.
 */
@SuppressWarnings("try") // scopes and guards work by being open
public final class PolicyTrainer {
    private final Model model;
    private final Weights weights;
    private final ModelConfig config;
    private final AdamW optimizer;

    /** A trainer of the model's weights; it closes neither. */
    public PolicyTrainer(Model model, AdamW optimizer) {
        this.model = model;
        this.weights = model.weights();
        this.config = weights.config();
        this.optimizer = optimizer;
    }

    /**
     * Trains one step.
     *
     * @return sums for the metrics and the log-probabilities by token
     * @throws WorkerException if the batch does not fit the loss or the model (nothing has changed then), or with NOT_FINITE if
     *     a gradient overflowed; weights of earlier optimizer steps have changed then
     */
    public StepSums train(Batch batch, LossConfig loss) {
        List<List<Schedule.Slice>> steps = Schedule.of(batch);
        refuseMisfit(batch, loss);
        StepSums sums = new StepSums(batch.tokens().length);
        boolean trainsMtp = loss.mtpLossScale() > 0;
        String mtpPrefix = "layers." + config.layers() + ".";
        Predicate<String> trained = name -> trainsMtp || !name.startsWith(mtpPrefix);
        for (int step = 0; step < steps.size(); step++) {
            optimizer.zeroGradients();
            double divisor = LossDivisor.of(batch, step);
            for (Schedule.Slice slice : steps.get(step)) {
                try (PointerScope scope = new PointerScope()) {
                    backward(
                            new PaddedSamples(batch, slice.samples()), batch, loss, divisor, sums.firstStep(step == 0));
                }
            }
            double norm = optimizer.gradientNorm(trained);
            if (!Double.isFinite(norm)) {
                throw new WorkerException(
                        WorkerErrorCode.NOT_FINITE,
                        "the gradient norm of optimizer step " + step + " is " + norm,
                        "load the last cut and lower the learning rate");
            }
            optimizer.step(coefficients(loss, loss.learningRate()), norm, trained);
            sums.optimizerStep(norm);
        }
        return sums;
    }

    private void backward(PaddedSamples samples, Batch batch, LossConfig objective, double divisor, StepSums sums) {
        Tensor ids = samples.ids();
        Tensor hidden = model.hidden(ids);
        TokenScores scores =
                BatchScorer.scores(model, hidden, ids, batch.header().temperature());
        Tensor current = scores.logprobs().detach();
        Tensor rollout = samples.column(batch.rolloutLogprobs());
        Tensor old = switch (objective.oldLogprobs()) {
            case ROLLOUT -> rollout;
            case CURRENT -> current;
            case BATCH -> samples.column(column(batch, Batch.Column.OLD_LOGPROBS));
        };
        float[] reference = batch.column(Batch.Column.REF_LOGPROBS);
        Tensor tokenWeights = samples.weights(divisor);
        PolicyLoss.Given given = new PolicyLoss.Given(
                old,
                rollout,
                reference == null ? null : samples.column(reference),
                samples.column(batch.advantages()),
                tokenWeights);
        PolicyLoss.Terms terms = PolicyLoss.of(scores, given, objective);
        Tensor loss = terms.loss();
        Tensor mtpLoss = torch.zeros_like(loss.detach());
        if (objective.mtpLossScale() > 0) {
            mtpLoss = mtpLoss(hidden, ids, tokenWeights);
            loss = loss.add(mtpLoss.mul(new Scalar(objective.mtpLossScale())));
        }
        loss.backward();
        samples.unpad(current, sums.logprobs());
        sums.add(terms, loss, mtpLoss);
        sums.compare(current, rollout, tokenWeights);
    }

    /**
     * Cross-entropy of the multi-token-prediction layer over the tokens that have a gradient. Embedding, decoder output and
     * head are taken as constants, so that only the layer itself learns from it (as slime's Megatron patch does).
     */
    private Tensor mtpLoss(Tensor hidden, Tensor ids, Tensor tokenWeights) {
        long targets = ids.size(1) - 2;
        if (targets == 0) {
            return torch.zeros_like(tokenWeights.sum());
        }
        Tensor next = torch.embedding(weights.get("embed").detach(), ids.narrow(1, 1, targets));
        Tensor predicted = model.mtpHidden(hidden.narrow(1, 0, targets).detach(), next);
        Tensor logits = torch.linear(predicted, weights.get("head").detach());
        Tensor losses = TokenScores.crossEntropy(logits, ids.narrow(1, 2, targets));
        return losses.mul(tokenWeights.narrow(1, 1, targets)).sum();
    }

    /** Refuses what cannot be trained, before anything is. */
    void refuseMisfit(Batch batch, LossConfig loss) {
        int optimizerSteps = Schedule.of(batch).size();
        PaddedSamples.refuseMisfit(batch, config);
        if (loss.oldLogprobs() == LossConfig.OldLogprobs.CURRENT && optimizerSteps > 1) {
            throw new WorkerException(
                    WorkerErrorCode.INVALID_REQUEST,
                    "oldLogprobs is current but the batch has " + optimizerSteps + " optimizer steps",
                    "compute old log-probabilities first (/forward) and send them in the batch, or use rollout");
        }
        if (loss.oldLogprobs() == LossConfig.OldLogprobs.BATCH) {
            column(batch, Batch.Column.OLD_LOGPROBS);
        }
        if (loss.klLossCoefficient() != 0) {
            column(batch, Batch.Column.REF_LOGPROBS);
        }
        if (loss.mtpLossScale() > 0 && config.mtpLayers() == 0) {
            throw new WorkerException(
                    WorkerErrorCode.UNSUPPORTED,
                    "mtpLossScale is " + loss.mtpLossScale() + " but the loaded model has no MTP layer",
                    "convert the checkpoint with its MTP layer, or set training.mtp.train to false");
        }
        if (batch.header().topP() != 1 || batch.header().topK() > 0) {
            throw new WorkerException(
                    WorkerErrorCode.UNSUPPORTED,
                    "samples were drawn with topP " + batch.header().topP() + " and topK "
                            + batch.header().topK() + ", but this worker does not renormalise over a cut vocabulary",
                    "sample with topP 1 and without topK");
        }
    }

    /** A column that a loss needs. */
    static float[] column(Batch batch, Batch.Column column) {
        float[] values = batch.column(column);
        if (values == null) {
            throw new WorkerException(
                    WorkerErrorCode.BAD_BATCH,
                    "the loss needs the column " + column.tensorName() + ", which the batch lacks",
                    "compute it with /forward");
        }
        return values;
    }

    /** Coefficients of a step with a learning rate, which a critic has of its own. */
    static AdamW.Coefficients coefficients(LossConfig loss, double learningRate) {
        LossConfig.Optimizer o = loss.optimizer();
        return new AdamW.Coefficients(
                learningRate, o.weightDecay(), o.beta1(), o.beta2(), o.epsilon(), o.maxGradNorm());
    }
}
