package dev.sluice.checkpoint;

import static dev.sluice.checkpoint.ConversionTest.assertSameTensors;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.Channels;
import java.nio.channels.WritableByteChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The expected numbers are those of numpy and ml_dtypes; see src/test/fixtures/README.md. */
class BlockScalesTest {
    private static final Path BLOCKS = Fixtures.FAMILIES.resolve("fp8_blocks.safetensors");
    private static final Path QUANTISED = Fixtures.FAMILIES.resolve("qwen3_fp8/hf");
    private static final Path DEQUANTISED = Fixtures.FAMILIES.resolve("qwen3_fp8/dequantised");

    @TempDir
    Path folder;

    @Test
    void multipliesEveryCodeByTheScaleOfItsBlockAndRoundsToNearestEven() throws IOException {
        try (SafetensorsFile file = SafetensorsFile.open(BLOCKS)) {
            // Given a matrix whose last row and columns do not fill their blocks
            TensorSource source = source(file, DType.BF16);

            // When
            ByteBuffer whole = written(source, 0, 130 * 140);
            ByteBuffer range = written(source, 127 * 140 + 5, 300);

            // Then
            ByteBuffer expected = file.data("expected");
            assertThat(whole).isEqualTo(expected);
            assertThat(range).isEqualTo(expected.slice((127 * 140 + 5) * 2, 600));
        }
    }

    @Test
    void turnsAQuantisedModelIntoAPlainOne() {
        // When
        assertThat(HuggingFaceCheckpoint.problems(QUANTISED)).isEmpty();
        Conversion.toTorchDist(QUANTISED, folder.resolve("there"), Progress.NONE);
        Conversion.Result result =
                Conversion.toHuggingFace(folder.resolve("there"), QUANTISED, folder.resolve("back"), Progress.NONE);

        // Then
        assertThat(result.carriedOver()).isEmpty();
        assertSameTensors(folder.resolve("back"), DEQUANTISED, 25);
        assertThat(Json.file(folder.resolve("back/config.json")))
                .isEqualTo(Json.file(DEQUANTISED.resolve("config.json")));
    }

    @Test
    void reportsScalesThatDoNotFitTheirBlocks() throws IOException {
        // Given
        Files.copy(QUANTISED.resolve("model.safetensors"), folder.resolve("model.safetensors"));
        String config = Files.readString(QUANTISED.resolve("config.json"));
        Files.writeString(folder.resolve("config.json"), config.replaceFirst("16,(\\s+)16\n", "16,$18\n"));

        // When / Then
        assertThat(HuggingFaceCheckpoint.problems(folder))
                .singleElement()
                .asString()
                .contains("q_proj.weight_scale_inv is F32 [2, 1], not F32 [2, 2] for blocks of 16 x 8");
    }

    @Test
    void doesNotWidenEightBitsToFloat32() {
        try (SafetensorsFile file = SafetensorsFile.open(BLOCKS)) {
            assertThatThrownBy(() -> source(file, DType.F32))
                    .isInstanceOf(CheckpointException.class)
                    .hasMessageContaining("BF16 or F16, not into F32");
        }
    }

    @Test
    void refusesAnotherKindOfQuantisation() throws IOException {
        // Given
        Files.copy(DEQUANTISED.resolve("model.safetensors"), folder.resolve("model.safetensors"));
        String config = Files.readString(QUANTISED.resolve("config.json"));
        Files.writeString(folder.resolve("config.json"), config.replace("\"fp8\"", "\"compressed-tensors\""));

        // When / Then
        assertThat(HuggingFaceCheckpoint.problems(folder))
                .singleElement()
                .asString()
                .contains("quant_method is \"compressed-tensors\"", "only fp8", "use the unquantised checkpoint");
    }

    @Test
    void reportsEightBitWeightsWithoutScales() throws IOException {
        // Given
        Files.copy(QUANTISED.resolve("config.json"), folder.resolve("config.json"));
        try (HuggingFaceCheckpoint source = HuggingFaceCheckpoint.open(QUANTISED)) {
            List<TensorSource> weights = source.tensors().keySet().stream()
                    .filter(name -> !name.endsWith("_scale_inv"))
                    .map(source::source)
                    .toList();
            SafetensorsWriter.write(folder.resolve("model.safetensors"), weights, Map.of("format", "pt"));
        }

        // When / Then
        assertThat(HuggingFaceCheckpoint.problems(folder))
                .singleElement()
                .asString()
                .contains("neither BF16, F16 or F32 nor F8_E4M3 with scales", "q_proj.weight is F8_E4M3");
    }

    private static TensorSource source(SafetensorsFile file, DType dtype) {
        return new BlockScaledSource(
                "weight",
                dtype,
                List.of(130L, 140L),
                new BlockScaledSource.Blocks(128, 128),
                () -> file.range("weight"),
                new BlockScaledSource.Scales(DType.F32, () -> file.data("weight_scale_inv")));
    }

    private static ByteBuffer written(TensorSource source, long first, long elements) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (WritableByteChannel channel = Channels.newChannel(bytes)) {
            source.writeRange(channel, first, elements);
        }
        return ByteBuffer.wrap(bytes.toByteArray()).order(ByteOrder.LITTLE_ENDIAN);
    }
}
