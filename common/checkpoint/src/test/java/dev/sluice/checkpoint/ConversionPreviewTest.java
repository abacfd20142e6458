package dev.sluice.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ConversionPreviewTest {
    @TempDir
    Path folder;

    @Test
    void foretellsWhatAConversionToTorchDistWrites() throws IOException {
        // When
        ConversionPreview preview = ConversionPreview.toTorchDist(Fixtures.HUGGING_FACE);
        Conversion.Result written = Conversion.toTorchDist(Fixtures.HUGGING_FACE, folder.resolve("out"), Progress.NONE);

        // Then
        assertThat(preview.problems()).isEmpty();
        assertThat(preview.tensors()).isEqualTo(written.tensors()).isEqualTo(133);
        assertThat(preview.bytes()).isEqualTo(written.bytes());
        long disk = diskBytes(folder.resolve("out/release"));
        assertThat(preview.diskBytes()).isBetween((long) (disk * 0.9), (long) (disk * 1.1));
    }

    @Test
    void foretellsAnExport() throws IOException {
        // When
        ConversionPreview preview = ConversionPreview.toHuggingFace(Fixtures.TORCH_DIST_016, Fixtures.HUGGING_FACE);
        Conversion.Result written = Conversion.toHuggingFace(
                Fixtures.TORCH_DIST_016, Fixtures.HUGGING_FACE, folder.resolve("out"), Progress.NONE);

        // Then
        assertThat(preview.tensors()).isEqualTo(written.tensors()).isEqualTo(135);
        assertThat(preview.bytes()).isEqualTo(written.bytes());
        assertThat(preview.carriedOver()).isEmpty();
        assertThat(preview.missing()).isEmpty();
    }

    @Test
    void listsWhatComesFromTheSourceAndWhatIsNowhere() throws IOException {
        // Given a training without the multi-token-prediction layer, and a source that has but one tensor of it
        Path trained = folder.resolve("trained");
        Path source = Files.createDirectory(folder.resolve("source"));
        try (HuggingFaceCheckpoint whole = HuggingFaceCheckpoint.open(Fixtures.HUGGING_FACE)) {
            List<TensorSource> weights = whole.tensors().keySet().stream()
                    .filter(name -> !name.startsWith("model.layers.3."))
                    .map(whole::source)
                    .toList();
            TorchDistWriter.write(trained, TrainedModel.release(whole.config(), weights), Progress.NONE);
            SafetensorsWriter.write(
                    source.resolve("model.safetensors"),
                    List.of(whole.source("model.layers.3.enorm.weight")),
                    java.util.Map.of());
            Files.copy(Fixtures.HUGGING_FACE.resolve("config.json"), source.resolve("config.json"));
        }

        // When
        ConversionPreview complete = ConversionPreview.toHuggingFace(trained, Fixtures.HUGGING_FACE);
        ConversionPreview partial = ConversionPreview.toHuggingFace(trained, source);

        // Then
        assertThat(complete.tensors()).isEqualTo(135);
        assertThat(complete.carriedOver())
                .contains("model.layers.3.eh_proj.weight")
                .doesNotContain("model.layers.3.embed_tokens.weight");
        assertThat(partial.carriedOver()).containsExactly("model.layers.3.enorm.weight");
    }

    @Test
    void namesTheProblemsOfADamagedSource() throws IOException {
        // Given
        Files.writeString(folder.resolve("config.json"), "{");

        // When / Then
        assertThat(ConversionPreview.toTorchDist(folder).problems()).hasSize(2);
        assertThat(ConversionPreview.toHuggingFace(folder, Fixtures.HUGGING_FACE)
                        .problems())
                .singleElement()
                .asString()
                .contains("not a complete torch_dist checkpoint");
    }

    private static long diskBytes(Path directory) throws IOException {
        try (Stream<Path> files = Files.list(directory)) {
            return files.mapToLong(file -> file.toFile().length()).sum();
        }
    }
}
