package dev.sluice.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Random;
import java.util.SortedMap;
import java.util.TreeMap;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TrainedModelTest {
    private static final long SEED = 7;

    @TempDir
    Path folder;

    private JsonNode config;
    private SortedMap<String, ByteBuffer> weights;
    private final SortedMap<String, List<Long>> shapes = new TreeMap<>();

    /** Every tensor of the small model in float32, with values that bfloat16 cannot hold. */
    @BeforeEach
    void trainSomething() {
        try (HuggingFaceCheckpoint source = HuggingFaceCheckpoint.open(Fixtures.HUGGING_FACE)) {
            config = source.config();
            source.tensors().values().stream()
                    .filter(tensor -> !tensor.name().endsWith(".embed_tokens.weight")
                            || tensor.name().equals("model.embed_tokens.weight"))
                    .filter(tensor -> !tensor.name().endsWith("shared_head.head.weight"))
                    .forEach(tensor -> shapes.put(tensor.name(), tensor.shape()));
        }
        weights = noise(SEED);
    }

    @Test
    void returnsWeightsOptimizerStatesAndScalarsBitForBit() {
        // Given
        SortedMap<String, ByteBuffer> mean = noise(SEED + 1);
        SortedMap<String, ByteBuffer> square = noise(SEED + 2);
        mean.keySet().removeIf(name -> name.endsWith("e_score_correction_bias"));
        Map<String, Object> scalars = Map.of("optimizerStep", 12L, "learningRate", 1e-6, "schedule", "constant");

        // When
        Path written = TorchDistWriter.write(
                folder,
                new TrainedModel(
                        config,
                        OptionalLong.of(12),
                        sources(weights),
                        Map.of("exp_avg", sources(mean), "exp_avg_sq", sources(square)),
                        scalars),
                Progress.NONE);

        // Then
        assertThat(written).hasFileName("iter_0000012");
        try (TorchDistCheckpoint checkpoint = TorchDistCheckpoint.open(folder)) {
            assertThat(checkpoint.iteration()).hasValue(12);
            assertThat(checkpoint.scalars()).isEqualTo(scalars);
            assertThat(checkpoint.optimizerFamilies()).containsExactly("exp_avg", "exp_avg_sq");
            assertThat(checkpoint.keys())
                    .contains("optimizer.state.exp_avg.decoder.layers.1.mlp.experts.experts.linear_fc1.weight");
            assertSame(ModelTensors.optimizerStates(config, checkpoint, "exp_avg"), mean);
            assertSame(ModelTensors.optimizerStates(config, checkpoint, "exp_avg_sq"), square);
            ModelTensors read = ModelTensors.weights(config, checkpoint);
            assertThat(read.missing()).isEmpty();
            assertThat(read.tensors()).hasSize(135);
            assertThat(read.data("model.layers.3.embed_tokens.weight"))
                    .isEqualTo(weights.get("model.embed_tokens.weight"));
            weights.forEach(
                    (name, bytes) -> assertThat(read.data(name)).as(name).isEqualTo(bytes));
        }
    }

    @Test
    void keepsEarlierIterationsReadableByTheirDirectory() {
        // When
        write(3);
        write(4);

        // Then
        try (TorchDistCheckpoint newest = TorchDistCheckpoint.open(folder);
                TorchDistCheckpoint earlier = TorchDistCheckpoint.open(folder.resolve("iter_0000003"))) {
            assertThat(newest.iteration()).hasValue(4);
            assertThat(earlier.iteration()).hasValue(3);
        }
        assertThatThrownBy(() -> write(4)).hasMessageContaining("exists already");
    }

    @Test
    void exportsFloat32RoundedToTheConfiguredType() {
        // Given
        write(1);

        // When
        Conversion.Result result =
                Conversion.toHuggingFace(folder, Fixtures.HUGGING_FACE, folder.resolve("export"), Progress.NONE);

        // Then
        assertThat(result.carriedOver()).isEmpty();
        try (HuggingFaceCheckpoint export = HuggingFaceCheckpoint.open(folder.resolve("export"))) {
            ByteBuffer rounded = export.data("lm_head.weight");
            ByteBuffer original = weights.get("lm_head.weight").duplicate().order(ByteOrder.LITTLE_ENDIAN);
            while (original.hasRemaining()) {
                assertThat(rounded.getShort()).isEqualTo(FloatTypes.toBfloat16(original.getFloat()));
            }
            assertThat(rounded.hasRemaining()).isFalse();
            String bias = "model.layers.1.mlp.gate.e_score_correction_bias";
            assertThat(export.tensors().get(bias).dtype()).isEqualTo(DType.F32);
            assertThat(export.data(bias)).isEqualTo(weights.get(bias));
        }
    }

    @Test
    void saysWhichWeightIsMissing() {
        // Given
        weights.remove("model.norm.weight");

        // When / Then
        assertThatThrownBy(() -> write(1))
                .isInstanceOf(CheckpointException.class)
                .hasMessageContaining("model.norm.weight is missing");
        assertThat(folder).isEmptyDirectory();
    }

    private void write(long iteration) {
        TorchDistWriter.write(
                folder,
                new TrainedModel(config, OptionalLong.of(iteration), sources(weights), Map.of(), Map.of()),
                Progress.NONE);
    }

    private SortedMap<String, ByteBuffer> noise(long seed) {
        Random random = new Random(seed);
        SortedMap<String, ByteBuffer> noise = new TreeMap<>();
        shapes.forEach((name, shape) -> {
            ByteBuffer bytes =
                    ByteBuffer.allocate((int) Shape.bytes(DType.F32, shape)).order(ByteOrder.LITTLE_ENDIAN);
            while (bytes.hasRemaining()) {
                bytes.putFloat((float) random.nextGaussian());
            }
            noise.put(name, bytes.flip());
        });
        return noise;
    }

    private List<TensorSource> sources(Map<String, ByteBuffer> tensors) {
        List<TensorSource> sources = new ArrayList<>();
        tensors.forEach((name, bytes) -> sources.add(TensorSource.of(name, DType.F32, shapes.get(name), bytes)));
        return sources;
    }

    private static void assertSame(ModelTensors read, SortedMap<String, ByteBuffer> expected) {
        assertThat(read.tensors().keySet()).isEqualTo(expected.keySet());
        expected.forEach((name, bytes) -> assertThat(read.data(name)).as(name).isEqualTo(bytes));
    }
}
