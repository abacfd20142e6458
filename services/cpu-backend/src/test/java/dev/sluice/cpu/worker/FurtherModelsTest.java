package dev.sluice.cpu.worker;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.sluice.checkpoint.SafetensorsFile;
import dev.sluice.workerapi.Batch;
import dev.sluice.workerapi.Batch.Column;
import dev.sluice.workerapi.BatchFile;
import dev.sluice.workerapi.FilesWritten;
import dev.sluice.workerapi.ForwardRequest;
import dev.sluice.workerapi.ForwardRequest.Want;
import dev.sluice.workerapi.KlType;
import dev.sluice.workerapi.LoadRequest;
import dev.sluice.workerapi.LossConfig;
import dev.sluice.workerapi.LossConfig.CriticLoss;
import dev.sluice.workerapi.ModelRole;
import dev.sluice.workerapi.SaveRequest;
import dev.sluice.workerapi.TrainMetrics;
import dev.sluice.workerapi.TrainRequest;
import dev.sluice.workerapi.TrainResult;
import dev.sluice.workerapi.WorkerErrorCode;
import dev.sluice.workerapi.WorkerException;
import java.io.IOException;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** A reference and a critic beside the policy, in a real worker. */
class FurtherModelsTest extends RunningWorker {
    private int calls;

    @Test
    void aReferenceStaysWhileThePolicyLearns() {
        worker.load(load(path("release"), null, null), DEADLINE);
        Batch batch = Batches.of(RUN, 1, 1);
        float[] before = forward(batch, ModelRole.REFERENCE, Want.LOGPROBS);
        Batch withReference = Batches.with(batch, Map.of(Column.REF_LOGPROBS, before));

        TrainResult first = train(withReference, ModelRole.POLICY, divergence());
        TrainResult second = train(
                Batches.with(Batches.of(RUN, 2, 1), Map.of(Column.REF_LOGPROBS, new float[batchTokens(2)])),
                ModelRole.POLICY,
                divergence());

        assertThat(first.metrics().klLoss()).isCloseTo(0, within(1e-6));
        assertThat(second.metrics().klLoss()).isNotZero();
        assertThat(forward(batch, ModelRole.REFERENCE, Want.LOGPROBS)).containsExactly(before);
        assertThat(forward(batch, ModelRole.POLICY, Want.LOGPROBS)).isNotEqualTo(before);
    }

    @Test
    void aRenewedReferenceIsThePolicyOfThenAlsoAfterACut() {
        worker.load(load(path("release"), null, null), DEADLINE);
        Batch batch = Batches.of(RUN, 1, 1);
        Path file = write(Batches.with(batch, Map.of(Column.REF_LOGPROBS, new float[batchTokens(1)])));
        worker.train(new TrainRequest(0, "renew", 1, file.toString(), ModelRole.POLICY, divergence(), true), DEADLINE);
        float[] renewed = forward(batch, ModelRole.POLICY, Want.LOGPROBS);
        FilesWritten cut = worker.save(new SaveRequest(0, "save", path("cut")), DEADLINE);

        assertThat(forward(batch, ModelRole.REFERENCE, Want.LOGPROBS)).containsExactly(renewed);
        worker.load(load(path("release"), null, cut.dir()), DEADLINE);
        assertThat(forward(batch, ModelRole.REFERENCE, Want.LOGPROBS)).containsExactly(renewed);
        worker.load(load(path("release"), null, null), DEADLINE);
        assertThat(forward(batch, ModelRole.REFERENCE, Want.LOGPROBS)).isNotEqualTo(renewed);
    }

    @Test
    void aReferenceMayBeAHuggingFaceDirectory() {
        worker.load(load(hugging.toString(), null, null), DEADLINE);
        Batch batch = Batches.of(RUN, 1, 1);

        assertThat(forward(batch, ModelRole.REFERENCE, Want.LOGPROBS))
                .containsExactly(forward(batch, ModelRole.POLICY, Want.LOGPROBS));
    }

    @Test
    void aCriticBeginsAtZeroAndLearnsReturns() {
        worker.load(load(null, path("release"), null), DEADLINE);
        Batch batch = Batches.of(RUN, 1, 1);
        float[] before = forward(batch, ModelRole.CRITIC, Want.VALUES);
        double first = 0;
        double last = 0;

        for (int step = 1; step <= 20; step++) {
            Batch next = again(batch, step);
            float[] values = forward(next, ModelRole.CRITIC, Want.VALUES);
            TrainResult result = train(valued(next, values, 1), ModelRole.CRITIC, critic(1e-2));
            last = Objects.requireNonNull(result.metrics().critic()).loss();
            first = step == 1 ? last : first;
        }

        assertThat(before).containsOnly(0);
        assertThat(first).isCloseTo(1, within(1e-6));
        assertThat(last).isLessThan(0.1);
    }

    @Test
    void aStepOfTheCriticAloneLeavesThePolicyAsItWas() throws IOException {
        worker.load(load(null, path("release"), null), DEADLINE);
        String before = export("before").manifestSha256();
        Batch batch = Batches.of(RUN, 1, 2);

        TrainResult result = train(valued(batch, new float[batchTokens(1)], 1), ModelRole.CRITIC, critic(1e-3));

        assertThat(result.step()).isEqualTo(1);
        assertThat(result.metrics().optimizerSteps()).isZero();
        assertThat(result.metrics().critic())
                .extracting(TrainMetrics.Critic::gradNorm)
                .isNotEqualTo(0.0);
        assertThat(export("after").manifestSha256()).isEqualTo(before);
    }

    @Test
    void policyAndCriticGoOnFromACutBitForBit() throws IOException {
        worker.load(load(null, path("release"), null), DEADLINE);
        step(1);
        FilesWritten cut = worker.save(new SaveRequest(0, "save", path("cut")), DEADLINE);
        List<float[]> uninterrupted = List.of(step(2), step(3));
        String weights = export("uninterrupted").manifestSha256();
        restart(new MemoryLimit(0));

        int resumed =
                worker.load(load(null, path("release"), cut.dir()), DEADLINE).step();

        assertThat(resumed).isEqualTo(1);
        assertThat(step(2)).containsExactly(uninterrupted.get(0));
        assertThat(step(3)).containsExactly(uninterrupted.get(1));
        assertThat(export("resumed").manifestSha256()).isEqualTo(weights);
    }

    @Test
    void aCutWithoutACriticCannotBeResumedWithOne() {
        worker.load(load(null, null, null), DEADLINE);
        FilesWritten cut = worker.save(new SaveRequest(0, "save", path("cut")), DEADLINE);

        assertThatThrownBy(() -> worker.load(load(null, path("release"), cut.dir()), DEADLINE))
                .isInstanceOf(WorkerException.class)
                .hasMessageContaining("was written without a critic");
    }

    @Test
    void aLossWithoutACriticsPartIsRefusedWhereOneIsLoaded() {
        worker.load(load(null, path("release"), null), DEADLINE);

        assertThatThrownBy(() -> train(Batches.of(RUN, 1, 1), ModelRole.POLICY, LossConfig.grpo(1e-3, 0)))
                .isInstanceOfSatisfying(
                        WorkerException.class,
                        refusal -> assertThat(refusal.code()).isEqualTo(WorkerErrorCode.INVALID_REQUEST));
        assertThat(worker.health(DEADLINE).step()).isZero();
    }

    /** Values before a step of both. */
    private float[] step(int step) {
        Batch batch = Batches.of(RUN, step, 2);
        float[] values = forward(batch, ModelRole.CRITIC, Want.VALUES);
        train(valued(batch, values, 0.5f), ModelRole.POLICY, critic(1e-3));
        return values;
    }

    private static Batch valued(Batch batch, float[] values, float wanted) {
        float[] returns = new float[values.length];
        Arrays.fill(returns, wanted);
        return Batches.with(batch, Map.of(Column.VALUES, values, Column.RETURNS, returns));
    }

    private static Batch again(Batch batch, int step) {
        return new Batch(
                new Batch.Header(RUN, step, 0, 1, 1, 0, batch.header().lossNormaliser()),
                batch.tokens(),
                batch.cuSeqlens(),
                batch.promptLengths(),
                batch.sampleIds(),
                batch.groups(),
                batch.lossDenominators(),
                batch.truncated(),
                batch.lossMask(),
                batch.advantages(),
                batch.rolloutLogprobs(),
                batch.weightVersions(),
                batch.schedule(),
                Map.of());
    }

    private static int batchTokens(int step) {
        return Batches.of(RUN, step, 1).tokens().length;
    }

    private static LossConfig divergence() {
        return loss("grpo", 0.1, null);
    }

    private static LossConfig critic(double learningRate) {
        return loss("ppo", 0, new CriticLoss(10, learningRate));
    }

    private static LossConfig loss(String algorithm, double klCoefficient, @Nullable CriticLoss critic) {
        return new LossConfig(
                algorithm,
                0.2,
                0.28,
                null,
                klCoefficient,
                0,
                0,
                LossConfig.OldLogprobs.ROLLOUT,
                null,
                1e-3,
                LossConfig.Optimizer.DEFAULT,
                KlType.K3,
                false,
                null,
                critic);
    }

    private TrainResult train(Batch batch, ModelRole model, LossConfig loss) {
        Path file = write(batch);
        return worker.train(
                new TrainRequest(0, "train-" + calls, batch.header().step(), file.toString(), model, loss), DEADLINE);
    }

    private float[] forward(Batch batch, ModelRole model, Want want) {
        Path file = write(batch);
        String out = worker.forward(
                        new ForwardRequest(0, "forward-" + calls, file.toString(), model, Set.of(want), file + ".out"),
                        DEADLINE)
                .out();
        try (SafetensorsFile answer = SafetensorsFile.open(Path.of(out))) {
            var values = answer.data(want == Want.VALUES ? "values" : "logprobs")
                    .order(ByteOrder.LITTLE_ENDIAN)
                    .asFloatBuffer();
            float[] column = new float[values.remaining()];
            values.get(column);
            return column;
        }
    }

    private Path write(Batch batch) {
        Path file = root.resolve("batch-" + ++calls);
        BatchFile.write(file, batch);
        return file;
    }

    private LoadRequest load(@Nullable String reference, @Nullable String critic, @Nullable String cut) {
        return new LoadRequest(
                0,
                "load-" + ++calls,
                RUN,
                path("release"),
                reference,
                null,
                critic,
                hugging.toString(),
                List.of(),
                cut);
    }
}
