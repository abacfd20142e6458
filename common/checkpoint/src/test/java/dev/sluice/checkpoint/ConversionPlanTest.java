package dev.sluice.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What is foretold is compared with what is then written. */
class ConversionPlanTest {
    private static final long SHARD_BYTES = 400_000;

    @TempDir
    Path folder;

    @Test
    void foretellsAnImportToTheByteAndWritesNothing() throws IOException {
        // When
        Path out = folder.resolve("deep/out");
        ConversionPlan plan = Conversion.planToTorchDist(Fixtures.HUGGING_FACE, out);

        // Then
        assertThat(folder).isEmptyDirectory();
        Conversion.Result result = Conversion.toTorchDist(Fixtures.HUGGING_FACE, out, Progress.NONE);
        assertForetold(plan, result, out);
        assertThat(plan.missing()).isEmpty();
        assertThat(plan.bytesKept()).isZero();
        assertThat(plan.fits()).isTrue();
        assertThat(plan.bytesFree()).isGreaterThan(plan.bytesToWrite());
    }

    @Test
    void foretellsAnExportToTheByte() throws IOException {
        // When
        Path out = folder.resolve("out");
        ConversionPlan plan =
                Conversion.planToHuggingFace(Fixtures.TORCH_DIST_016, Fixtures.HUGGING_FACE, out, SHARD_BYTES);

        // Then
        Conversion.Result result = Conversion.toHuggingFace(
                Fixtures.TORCH_DIST_016, Fixtures.HUGGING_FACE, out, SHARD_BYTES, Progress.NONE);
        assertForetold(plan, result, out);
    }

    @Test
    void foretellsBothWaysOfAnEightBitModelToTheByte() throws IOException {
        // Given
        Path quantised = Fixtures.FAMILIES.resolve("qwen3_fp8/hf");
        Path there = folder.resolve("there");
        Path back = folder.resolve("back");

        // When / Then the exported configuration is another one than the source's
        ConversionPlan toTorchDist = Conversion.planToTorchDist(quantised, there);
        assertForetold(toTorchDist, Conversion.toTorchDist(quantised, there, Progress.NONE), there);
        ConversionPlan toHuggingFace = Conversion.planToHuggingFace(there, quantised, back, SHARD_BYTES);
        assertForetold(
                toHuggingFace, Conversion.toHuggingFace(there, quantised, back, SHARD_BYTES, Progress.NONE), back);
    }

    @Test
    void namesWhatAnImportWouldMiss() throws IOException {
        // Given
        String name = "model.layers.1.mlp.experts.3.up_proj.weight";
        Path incomplete = incompleteSource(name);

        // When
        ConversionPlan plan = Conversion.planToTorchDist(incomplete, folder.resolve("out"));

        // Then everything else is as if it were there
        ConversionPlan complete = Conversion.planToTorchDist(Fixtures.HUGGING_FACE, folder.resolve("out"));
        assertThat(plan.missing()).containsExactly(name);
        assertThat(plan.bytes()).isEqualTo(complete.bytes());
        assertThat(plan.tensors()).isEqualTo(complete.tensors());
    }

    @Test
    void namesWhatAnExportWouldMiss() throws IOException {
        // Given neither has the layer that was not trained
        Path incomplete = incompleteSource("model.layers.3.eh_proj.weight");
        Path trained = folder.resolve("trained");
        try (HuggingFaceCheckpoint source = HuggingFaceCheckpoint.open(Fixtures.HUGGING_FACE)) {
            List<TensorSource> weights = source.tensors().keySet().stream()
                    .filter(tensor -> !tensor.equals("model.layers.2.mlp.gate.weight"))
                    .map(source::source)
                    .toList();
            assertThatThrownBy(() -> TorchDistWriter.write(
                            trained, TrainedModel.release(source.config(), weights), Progress.NONE))
                    .hasMessageContaining("model.layers.2.mlp.gate.weight is missing");
            List<TensorSource> first = new ArrayList<>();
            source.tensors().keySet().stream()
                    .filter(tensor -> !tensor.startsWith("model.layers.3."))
                    .forEach(tensor -> first.add(source.source(tensor)));
            TorchDistWriter.write(trained, TrainedModel.release(source.config(), first), Progress.NONE);
        }

        // When
        ConversionPlan plan = Conversion.planToHuggingFace(trained, incomplete, folder.resolve("out"), SHARD_BYTES);

        // Then
        assertThat(plan.missing()).isEmpty();
        assertThat(plan.carriedOver())
                .contains("model.layers.3.enorm.weight")
                .doesNotContain("model.layers.3.eh_proj.weight");
    }

    @Test
    void saysWhatTheDiskLacksBeforeAnythingIsWritten() {
        // When / Then
        Path out = folder.resolve("out");
        long free = DiskSpace.free(out);
        assertThatThrownBy(() -> DiskSpace.check(out, Long.MAX_VALUE))
                .isInstanceOf(CheckpointException.class)
                .hasMessageContaining("needs " + Long.MAX_VALUE + " bytes")
                .hasMessageMatching(
                        ".* its file system has \\d{" + Long.toString(free).length() + "} left.*");
        assertThat(folder).isEmptyDirectory();
    }

    private Path incompleteSource(String name) throws IOException {
        Path incomplete = folder.resolve("incomplete");
        Files.createDirectories(incomplete);
        try (HuggingFaceCheckpoint source = HuggingFaceCheckpoint.open(Fixtures.HUGGING_FACE)) {
            List<TensorSource> others = source.tensors().keySet().stream()
                    .filter(tensor -> !tensor.equals(name))
                    .map(source::source)
                    .toList();
            SafetensorsWriter.write(incomplete.resolve("model.safetensors"), others, Map.of("format", "pt"));
        }
        Files.copy(Fixtures.HUGGING_FACE.resolve("config.json"), incomplete.resolve("config.json"));
        return incomplete;
    }

    private static void assertForetold(ConversionPlan plan, Conversion.Result result, Path out) throws IOException {
        Map<String, String> written = CopiedFiles.content(out);
        String manifest = written.get("manifest.json");
        assertThat(plan.files()).isEqualTo(written.size());
        assertThat(plan.bytes() + manifest.length())
                .isEqualTo(written.values().stream().mapToLong(String::length).sum());
        assertThat(plan.tensors()).isEqualTo(result.tensors());
        assertThat(plan.carriedOver()).isEqualTo(result.carriedOver());
    }
}
