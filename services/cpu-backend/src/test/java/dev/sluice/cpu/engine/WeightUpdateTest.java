package dev.sluice.cpu.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.sluice.checkpoint.DType;
import dev.sluice.checkpoint.HuggingFaceCheckpoint;
import dev.sluice.checkpoint.SafetensorsWriter;
import dev.sluice.checkpoint.TensorSource;
import dev.sluice.sglang.GenerateResponse;
import dev.sluice.sglang.PauseMode;
import dev.sluice.sglang.SamplingParams;
import dev.sluice.sglang.SglangClient;
import dev.sluice.sglang.WeightUpdate;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** New weights come whole or not at all, and the label tells which ones run. */
class WeightUpdateTest {
    private static final int[] PROMPT = {4, 5, 6};
    private static final SamplingParams LONG =
            SamplingParams.of(50, 0).change().ignoreEos(true).done();

    @TempDir
    private Path root;

    private Path first;
    private Path second;
    private RunningEngine engine;
    private SglangClient client;

    @BeforeEach
    void start() throws IOException {
        first = TestModels.markov(root.resolve("v1"), 3, 0);
        second = TestModels.markov(root.resolve("v2"), -3, 0);
        engine = RunningEngine.start(
                Map.of("SLUICE_ALLOWED_ROOTS", root.toString()),
                first,
                "--speculative-algorithm",
                "EAGLE",
                "--weight-version",
                "1");
        client = engine.client();
    }

    @AfterEach
    void stop() {
        engine.close();
    }

    @Test
    void aPausedEngineLoadsAtOnceAndServesTheNewWeightsAfterwards() throws Exception {
        int[] before = engine.generate(PROMPT, LONG).outputIds();
        client.pauseGeneration(PauseMode.ABORT, RunningEngine.DEADLINE);
        CompletableFuture<GenerateResponse> held = engine.begin("held", PROMPT, LONG);

        WeightUpdate.Outcome outcome = update(second, "2");
        client.continueGeneration();

        GenerateResponse after = held.get();
        assertThat(outcome.success()).isTrue();
        assertThat(after.meta().weightVersion()).isEqualTo("2");
        assertThat(after.outputIds()).isEqualTo(freshEngineOutput(second)).isNotEqualTo(before);
        assertThat(client.modelInfo().weightVersion()).isEqualTo("2");
        assertThat(client.modelInfo().modelPath()).isEqualTo(second.toString());
    }

    @Test
    void theDraftingLayerIsReplacedToo() {
        client.pauseGeneration(PauseMode.ABORT, RunningEngine.DEADLINE);
        update(second, "2");
        client.continueGeneration();

        GenerateResponse after = engine.generate(PROMPT, LONG);

        assertThat(after.meta().speculation()).isNotNull();
        assertThat(after.meta().speculation().acceptRate()).isEqualTo(1);
    }

    @Test
    void anEngineThatIsNotPausedFinishesItsRequestsFirst() throws Exception {
        SamplingParams longer =
                SamplingParams.of(500, 0).change().ignoreEos(true).done();
        CompletableFuture<GenerateResponse> running = engine.begin("running", PROMPT, longer);
        await().until(() -> client.loads().loads().get(0).numUsedTokens() > 5);

        WeightUpdate.Outcome outcome = update(second, "2");

        assertThat(outcome.success()).isTrue();
        assertThat(running.get().meta().completionTokens()).isEqualTo(500);
        assertThat(running.get().meta().weightVersion()).isEqualTo("1");
        assertThat(engine.generate(PROMPT, LONG).meta().weightVersion()).isEqualTo("2");
    }

    @Test
    void equalWeightsHaveEqualChecksumsWhateverTheirPath() throws Exception {
        String sum = checksum();
        update(second, "2");
        String other = checksum();
        Path copy = changed(first, tensor -> tensor);

        update(copy, "3");

        assertThat(other).isNotEqualTo(sum);
        assertThat(checksum()).isEqualTo(sum);
    }

    @Test
    void aMissingTensorLeavesTheOldWeightsAsTheyWere() throws Exception {
        String sum = checksum();
        Path broken = changed(second, tensor -> tensor.name().equals("model.norm.weight") ? null : tensor);

        WeightUpdate.Outcome outcome = update(broken, "2");

        assertThat(outcome.success()).isFalse();
        assertThat(outcome.message()).contains("model.norm.weight is missing");
        assertThat(checksum()).isEqualTo(sum);
        assertThat(client.modelInfo().weightVersion()).isEqualTo("1");
    }

    @Test
    void anUnknownOrMisshapenTensorIsNamed() throws Exception {
        Path misshapen = changed(
                second,
                tensor -> tensor.name().equals("model.norm.weight")
                        ? TensorSource.of("model.norm.weight", DType.F32, List.of(2L), ByteBuffer.allocate(8))
                        : tensor);
        Path unknown = changed(
                second,
                tensor -> tensor.name().equals("model.norm.weight") ? tensor.named("model.nrom.weight") : tensor);

        assertThat(update(misshapen, "2").message()).contains("model.norm.weight has shape [2], expected [64]");
        assertThat(update(unknown, "2").message())
                .contains("model.norm.weight is missing", "model.nrom.weight is unknown");
    }

    @Test
    void aDirectoryOutsideTheAllowedRootsOrOfAnotherModelIsRefused() {
        assertThat(update(TestModels.TINY, "2").message()).contains("lies outside the allowed roots");
        assertThat(update(root.resolve("missing"), "2").message()).contains("cannot be opened");
        assertThat(update(root.resolve("v1/../../.."), "2").success()).isFalse();
        assertThat(engine.post("/update_weights_from_disk", Map.of("model_path", "a\0b"))
                        .status())
                .isEqualTo(400);
    }

    @Test
    void requestsThatStandStillMustNotLoseTheirCache() throws Exception {
        CompletableFuture<GenerateResponse> running = engine.begin(
                "running",
                PROMPT,
                SamplingParams.of(500, 0).change().ignoreEos(true).done());
        await().until(() -> client.loads().loads().get(0).numUsedTokens() > 5);
        client.pauseGeneration(PauseMode.IN_PLACE, RunningEngine.DEADLINE);

        WeightUpdate.Outcome flushing = update(second, "2");
        WeightUpdate.Outcome keeping = client.updateWeightsFromDisk(
                new WeightUpdate(second.toString(), null, "2", false, false), RunningEngine.DEADLINE);
        client.continueGeneration();

        assertThat(flushing.success()).isFalse();
        assertThat(flushing.message()).contains("flush_cache=false");
        assertThat(keeping.success()).isTrue();
        assertThat(keeping.numPausedRequests()).containsExactly(1);
        assertThat(running.get().meta().weightVersion()).isEqualTo("2");
    }

    @Test
    void theLabelAloneCanChangeWithoutDisturbingAnybody() {
        client.updateWeightVersion("relabelled");

        assertThat(client.modelInfo().weightVersion()).isEqualTo("relabelled");
        assertThat(engine.get("/get_weight_version").text()).isEqualTo("{\"weight_version\":\"relabelled\"}");
    }

    @Test
    void distributedUpdatesAreRefusedPolitely() {
        assertThat(engine.post("/init_weights_update_group", Map.of("master_port", "1"))
                        .text())
                .contains("\"success\":false", "use update_weights_from_disk");
    }

    private WeightUpdate.Outcome update(Path directory, String version) {
        return client.updateWeightsFromDisk(WeightUpdate.of(directory.toString(), version), RunningEngine.DEADLINE);
    }

    private String checksum() {
        return client.weightsChecksum(RunningEngine.DEADLINE)
                .perEngineChecksum()
                .asText();
    }

    private int[] freshEngineOutput(Path model) throws IOException {
        try (RunningEngine fresh = RunningEngine.start(model)) {
            return fresh.generate(PROMPT, LONG).outputIds();
        }
    }

    /** A copy of a model directory with tensors replaced, or left out where the change gives null. */
    private Path changed(Path model, UnaryOperator<TensorSource> change) throws IOException {
        Path copy = Files.createTempDirectory(root, "changed");
        Files.copy(model.resolve("config.json"), copy.resolve("config.json"));
        try (HuggingFaceCheckpoint checkpoint = HuggingFaceCheckpoint.open(model)) {
            List<TensorSource> tensors = new ArrayList<>();
            for (String name : checkpoint.tensors().keySet()) {
                TensorSource tensor = change.apply(checkpoint.source(name));
                if (tensor != null) {
                    tensors.add(tensor);
                }
            }
            SafetensorsWriter.write(copy.resolve("model.safetensors"), tensors, Map.of("format", "pt"));
        }
        return copy;
    }
}
