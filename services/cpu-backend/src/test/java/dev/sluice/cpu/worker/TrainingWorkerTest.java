package dev.sluice.cpu.worker;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.sluice.checkpoint.HuggingFaceCheckpoint;
import dev.sluice.checkpoint.Manifest;
import dev.sluice.checkpoint.SafetensorsFile;
import dev.sluice.workerapi.Batch;
import dev.sluice.workerapi.BatchFile;
import dev.sluice.workerapi.ExportRequest;
import dev.sluice.workerapi.FilesWritten;
import dev.sluice.workerapi.ForwardRequest;
import dev.sluice.workerapi.ForwardResult;
import dev.sluice.workerapi.Held;
import dev.sluice.workerapi.LoadRequest;
import dev.sluice.workerapi.LossConfig;
import dev.sluice.workerapi.MemoryMoved;
import dev.sluice.workerapi.ModelRole;
import dev.sluice.workerapi.OffloadRequest;
import dev.sluice.workerapi.OnloadRequest;
import dev.sluice.workerapi.SaveRequest;
import dev.sluice.workerapi.ShutdownRequest;
import dev.sluice.workerapi.TrainRequest;
import dev.sluice.workerapi.TrainResult;
import dev.sluice.workerapi.WorkerErrorCode;
import dev.sluice.workerapi.WorkerException;
import dev.sluice.workerapi.WorkerHealth;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.stream.IntStream;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;

class TrainingWorkerTest extends RunningWorker {
    @Test
    void healthSaysHowFarTheWorkerIs() {
        worker.load(load(3, null), DEADLINE);

        TrainResult result = train(1);

        WorkerHealth health = worker.health(DEADLINE);
        assertThat(health).isEqualTo(new WorkerHealth(WorkerHealth.State.READY, RUN, 3, 1, result.batchSha256(), -1));
    }

    @Test
    void theSameCallsGiveTheSameBits() throws IOException {
        worker.load(load(0, null), DEADLINE);
        train(1);
        train(2);
        String once = export("once").manifestSha256();

        worker.load(load(1, null), DEADLINE);
        train(1);
        train(2);

        assertThat(export("again").manifestSha256()).isEqualTo(once);
    }

    @Test
    void memoryOfTheHostStaysWhereItIs() throws IOException {
        worker.load(load(0, null), DEADLINE);
        String before = export("before").manifestSha256();

        MemoryMoved away = worker.offload(new OffloadRequest(0, "away", EnumSet.allOf(Held.class)), DEADLINE);
        MemoryMoved back = worker.onload(new OnloadRequest(0, "back", Set.of(Held.WEIGHTS)), DEADLINE);

        assertThat(worker.info(DEADLINE).capabilities()).contains("offload");
        assertThat(List.of(away, back)).allSatisfy(moved -> {
            assertThat(moved.bytes()).isZero();
            assertThat(moved.usedBefore()).isEqualTo(moved.usedAfter()).isPositive();
        });
        assertThat(export("after").manifestSha256()).isEqualTo(before);
    }

    @Test
    void memoryIsMovedOnlyOfAModelThatIsLoaded() {
        OffloadRequest request = new OffloadRequest(0, "away", Set.of(Held.WEIGHTS));

        assertRefused(WorkerErrorCode.NOT_LOADED, () -> worker.offload(request, DEADLINE));
    }

    @Test
    void aPassAboveTheMemoryLimitFailsAndLeavesTheWeightsAsTheyWere() throws IOException {
        worker.load(load(0, null), DEADLINE);
        String before = export("before").manifestSha256();
        restart(new MemoryLimit(1));
        worker.load(load(1, null), DEADLINE);

        assertRefused(WorkerErrorCode.OUT_OF_MEMORY, () -> train(1));

        assertThat(worker.health(DEADLINE).step()).isZero();
        assertThat(export("after").manifestSha256()).isEqualTo(before);
    }

    @Test
    void trainingGoesOnFromACutBitForBit() throws IOException {
        worker.load(load(0, null), DEADLINE);
        train(1);
        FilesWritten cut = worker.save(new SaveRequest(0, "save-1", path("cut")), DEADLINE);
        train(2);
        train(3);
        String uninterrupted = export("uninterrupted").manifestSha256();
        restart(new MemoryLimit(0));

        int resumedStep = worker.load(load(1, cut.dir()), DEADLINE).step();
        train(2);
        train(3);

        assertThat(resumedStep).isEqualTo(1);
        assertThat(export("resumed").manifestSha256()).isEqualTo(uninterrupted);
    }

    @Test
    void aRepeatedCallGetsItsFirstAnswerAndTrainsNothing() {
        worker.load(load(0, null), DEADLINE);
        TrainRequest request = trainRequest(1, "train-1");
        TrainResult first = worker.train(request, DEADLINE);

        TrainResult second = worker.train(request, DEADLINE);

        assertThat(second).isEqualTo(first);
        assertThat(worker.health(DEADLINE).step()).isEqualTo(1);
    }

    @Test
    void aSuccessorThatRepeatsACallGetsItsFirstAnswer() {
        worker.load(load(0, null), DEADLINE);
        TrainRequest request = trainRequest(1, "train-1");
        TrainResult first = worker.train(request, DEADLINE);

        TrainResult second = worker.train(
                new TrainRequest(1, "train-1", 1, request.batch(), request.model(), request.loss()), DEADLINE);

        assertThat(second).isEqualTo(first);
        assertThat(worker.health(DEADLINE).epoch()).isEqualTo(1);
    }

    @Test
    void anIdThatWasAnotherCallIsRefused() {
        worker.load(load(0, null), DEADLINE);

        assertRefused(WorkerErrorCode.INVALID_REQUEST, () -> worker.train(trainRequest(1, "load-0"), DEADLINE));
    }

    @Test
    void aReplacedCallerIsRefused() {
        worker.load(load(2, null), DEADLINE);

        assertRefused(WorkerErrorCode.STALE_EPOCH, () -> worker.load(load(1, null), DEADLINE));
    }

    @Test
    void aStepThatIsNotTheNextIsRefused() {
        worker.load(load(0, null), DEADLINE);

        assertRefused(WorkerErrorCode.STEP_OUT_OF_ORDER, () -> train(2));
    }

    @Test
    void trainingBeforeLoadingIsRefused() {
        assertRefused(WorkerErrorCode.NOT_LOADED, () -> train(1));
    }

    @Test
    void aBatchOfAnotherStepIsRefused() {
        worker.load(load(0, null), DEADLINE);
        BatchFile.write(root.resolve("other"), Batches.of(RUN, 7, 1));

        assertRefused(
                WorkerErrorCode.BAD_BATCH,
                () -> worker.train(
                        new TrainRequest(0, "t", 1, path("other"), ModelRole.POLICY, LossConfig.grpo(1e-3, 0)),
                        DEADLINE));
    }

    @Test
    void pathsOutsideTheRootsAreRefusedAlsoThroughLinks() throws IOException {
        Files.createSymbolicLink(root.resolve("link"), folder);
        worker.load(load(0, null), DEADLINE);

        assertRefused(
                WorkerErrorCode.PATH_REFUSED,
                () -> worker.save(new SaveRequest(0, "s1", root + "/../elsewhere"), DEADLINE));
        assertRefused(
                WorkerErrorCode.PATH_REFUSED,
                () -> worker.save(new SaveRequest(0, "s2", path("link/elsewhere")), DEADLINE));
        assertRefused(WorkerErrorCode.PATH_REFUSED, () -> worker.save(new SaveRequest(0, "s3", "relative"), DEADLINE));
    }

    @Test
    void whatExistsIsNotOverwritten() {
        worker.load(load(0, null), DEADLINE);
        export("v000001");

        assertRefused(
                WorkerErrorCode.PATH_REFUSED,
                () -> worker.export(new ExportRequest(0, "again", path("v000001"), 2, "float32"), DEADLINE));
    }

    @Test
    void aWrongTokenIsRefused() {
        assertRefused(WorkerErrorCode.UNAUTHORISED, () -> server.client("guess").health(DEADLINE));
    }

    @Test
    void anExportOfUntrainedWeightsIsTheSourceInFloat32() {
        worker.load(load(0, null), DEADLINE);

        FilesWritten written = export("v000000");

        assertThat(Manifest.verify(Path.of(written.dir()))).isEqualTo(written.manifestSha256());
        try (HuggingFaceCheckpoint exported = HuggingFaceCheckpoint.open(Path.of(written.dir()));
                HuggingFaceCheckpoint source = HuggingFaceCheckpoint.open(hugging)) {
            assertThat(exported.tensors().keySet()).isEqualTo(source.tensors().keySet());
            String name = "model.layers.1.mlp.experts.5.down_proj.weight";
            // A bfloat16 is the upper half of its float32.
            float first = Float.intBitsToFloat(source.data(name).getShort(0) << 16);
            assertThat(exported.data(name).getFloat(0)).isEqualTo(first);
        }
    }

    @Test
    void forwardGivesTheLogprobsThatTrainingBeginsWith() throws IOException {
        worker.load(load(0, null), DEADLINE);
        BatchFile.write(root.resolve("batch-1.safetensors"), Batches.of(RUN, 1, 1));
        Set<ForwardRequest.Want> want = Set.of(ForwardRequest.Want.LOGPROBS, ForwardRequest.Want.ENTROPY);
        ForwardResult forward = worker.forward(
                new ForwardRequest(0, "forward", path("batch-1.safetensors"), ModelRole.POLICY, want, path("logprobs")),
                DEADLINE);

        TrainResult trained = train(1);

        try (SafetensorsFile file = SafetensorsFile.open(Path.of(forward.out()))) {
            float[] logprobs = new float[trained.logprobs().length()];
            file.data("logprobs").asFloatBuffer().get(logprobs);
            assertThat(logprobs).containsExactly(trained.logprobs().toArray(), within(1e-5f));
            assertThat(file.tensors()).containsKey("entropy");
        }
    }

    @Test
    void optimizerStepsOfABatchAreTakenOneAfterAnother() {
        worker.load(load(0, null), DEADLINE);
        BatchFile.write(root.resolve("two"), Batches.of(RUN, 1, 2));

        TrainResult result = worker.train(
                new TrainRequest(0, "t", 1, path("two"), ModelRole.POLICY, LossConfig.grpo(1e-3, 0.2)), DEADLINE);

        assertThat(result.metrics().optimizerSteps()).isEqualTo(2);
        assertThat(result.metrics().mtpLoss()).isPositive();
        int tokens = IntStream.range(0, result.logprobs().length())
                .map(t -> result.logprobs().get(t) == 0 ? 0 : 1)
                .sum();
        // Every token but the six samples' first ones was scored.
        assertThat(tokens).isEqualTo(result.logprobs().length() - 6);
    }

    @Test
    void samplesOfOneAndTwoTokensAreTrainedToo() {
        worker.load(load(0, null), DEADLINE);
        BatchFile.write(root.resolve("short"), Batches.ofShortSamples(RUN, 1));

        TrainResult result = worker.train(
                new TrainRequest(0, "t", 1, path("short"), ModelRole.POLICY, LossConfig.grpo(1e-3, 0.2)), DEADLINE);

        assertThat(result.metrics().tokens()).isEqualTo(1);
        assertThat(result.metrics().mtpLoss()).isZero();
        assertThat(result.logprobs().get(2)).isNegative();
    }

    @Test
    void aTokenThatTheModelDoesNotHaveIsRefused() {
        worker.load(load(0, null), DEADLINE);
        Batch batch = Batches.of(RUN, 1, 1);
        batch.tokens()[5] = Batches.VOCABULARY;
        BatchFile.write(root.resolve("foreign"), batch);

        assertRefused(
                WorkerErrorCode.BAD_BATCH,
                () -> worker.train(
                        new TrainRequest(0, "t", 1, path("foreign"), ModelRole.POLICY, LossConfig.grpo(1e-3, 0)),
                        DEADLINE));
    }

    @Test
    void aGradientThatIsNotFiniteLeavesTheWeightsAsTheyWere() {
        worker.load(load(0, null), DEADLINE);
        String before = export("before").manifestSha256();
        Batch batch = Batches.of(RUN, 1, 1);
        Arrays.fill(batch.rolloutLogprobs(), batch.cuSeqlens()[1] - 1, batch.cuSeqlens()[1], -1000);
        Arrays.fill(batch.advantages(), batch.cuSeqlens()[1] - 1, batch.cuSeqlens()[1], -1);
        BatchFile.write(root.resolve("overflow"), batch);

        assertRefused(
                WorkerErrorCode.NOT_FINITE,
                () -> worker.train(
                        new TrainRequest(0, "t", 1, path("overflow"), ModelRole.POLICY, LossConfig.grpo(1e-3, 0)),
                        DEADLINE));

        assertThat(worker.health(DEADLINE).step()).isZero();
        assertThat(export("after").manifestSha256()).isEqualTo(before);
    }

    @Test
    void allMistakesOfALossAreNamedAtOnce() {
        assertThatThrownBy(() ->
                        new LossConfig("dpo", 2, 0.2, 0.5, 0, 0, 0, LossConfig.OldLogprobs.ROLLOUT, null, -1, null))
                .isInstanceOf(WorkerException.class)
                .hasMessageContainingAll("dpo", "clipLow is 2.0", "dualClip is 0.5", "learningRate is -1.0");
    }

    @Test
    void aShutdownIsAnsweredBeforeItHappens() {
        worker.shutdown(new ShutdownRequest(0, "stop"), DEADLINE);

        assertThat(server.wasToldToStop()).isTrue();
    }

    private TrainResult train(int step) {
        int epoch = Math.max(0, worker.health(DEADLINE).epoch());
        TrainRequest request = trainRequest(step, "train-" + epoch + "-" + step);
        return worker.train(
                new TrainRequest(epoch, request.operationId(), step, request.batch(), request.model(), request.loss()),
                DEADLINE);
    }

    private TrainRequest trainRequest(int step, String id) {
        Path file = root.resolve("batch-" + step + ".safetensors");
        if (!Files.exists(file)) {
            BatchFile.write(file, Batches.of(RUN, step, 2));
        }
        return new TrainRequest(0, id, step, file.toString(), ModelRole.POLICY, LossConfig.grpo(1e-3, 0.2));
    }

    private LoadRequest load(int epoch, String cut) {
        return LoadRequest.policy(epoch, "load-" + epoch, RUN, path("release"), hugging.toString())
                .resumingFrom(cut);
    }

    private static void assertRefused(WorkerErrorCode code, ThrowingCallable call) {
        assertThatThrownBy(call)
                .isInstanceOfSatisfying(
                        WorkerException.class,
                        refusal -> assertThat(refusal.code()).isEqualTo(code));
    }
}
