package dev.sluice.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class SafetensorsTest {
    @TempDir
    Path folder;

    @ParameterizedTest
    @ValueSource(
            strings = {
                "hf_tiny/model-00001-of-00002.safetensors",
                "hf_tiny/model-00002-of-00002.safetensors",
                "parity_hf.safetensors",
                "parity_mcore.safetensors",
                "parity_train_hf.safetensors"
            })
    void writesTheSameBytesAsTheReferenceLibrary(String fixture) throws IOException {
        // Given a file of the safetensors library
        Path original = Fixtures.file(fixture);
        Path copy = folder.resolve("copy.safetensors");

        // When
        try (SafetensorsFile file = SafetensorsFile.open(original)) {
            List<TensorSource> tensors = new ArrayList<>();
            file.tensors()
                    .values()
                    .forEach(t -> tensors.add(TensorSource.of(t.name(), t.dtype(), t.shape(), file.data(t.name()))));
            SafetensorsWriter.write(copy, tensors, file.metadata());
        }

        // Then
        assertThat(copy).hasSameBinaryContentAs(original);
        assertThat(folder.toFile().list()).containsExactly("copy.safetensors");
    }

    @Test
    void readsAllTensorsOfAShardedModel() {
        // When
        try (HuggingFaceCheckpoint checkpoint = HuggingFaceCheckpoint.open(Fixtures.HUGGING_FACE)) {
            // Then the fixture's description says 135 tensors and a vocabulary of 300
            assertThat(checkpoint.tensors()).hasSize(135);
            assertThat(checkpoint.tensors().get("lm_head.weight").shape()).containsExactly(300L, 64L);
            assertThat(checkpoint.data("lm_head.weight").remaining()).isEqualTo(300 * 64 * 2);
            assertThat(checkpoint.data("lm_head.weight").order()).isEqualTo(ByteOrder.LITTLE_ENDIAN);
            assertThat(checkpoint.data("lm_head.weight").isReadOnly()).isTrue();
        }
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            {"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},"b":{"dtype":"U8","shape":[4],"data_offsets":[2,6]}} | 6 | overlapping
            {"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},"b":{"dtype":"U8","shape":[2],"data_offsets":[4,6]}} | 6 | a hole
            {"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]}} | 3 | truncated
            {"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]}} | 5 | too long
            {"a":{"dtype":"U8","shape":[9],"data_offsets":[0,4]}} | 4 | needs 9 bytes
            {"a":{"dtype":"U8","shape":[-4],"data_offsets":[0,4]}} | 4 | negative axis
            {"a":{"dtype":"F64","shape":[4611686018427387904,4],"data_offsets":[0,4]}} | 4 | 2^63
            {"a":{"dtype":"Q7","shape":[4],"data_offsets":[0,4]}} | 4 | unknown dtype
            {"a":{"dtype":"U8","shape":"x","data_offsets":[0,4]}} | 4 | without a shape
            {"a":{},"a":{}} | 0 | Duplicate
            {"__metadata__":{"format":5}} | 0 | something else than texts
            {"__metadata__":"pt"} | 0 | something else than texts
            [] | 0 | not a JSON object
            {"a": | 0 | not valid JSON
            """)
    void refusesAnInconsistentFile(String header, int dataBytes, String reason) throws IOException {
        // Given
        byte[] text = header.getBytes(StandardCharsets.UTF_8);
        ByteBuffer content = ByteBuffer.allocate(8 + text.length + dataBytes).order(ByteOrder.LITTLE_ENDIAN);
        content.putLong(text.length).put(text);
        Path file = Files.write(folder.resolve("bad.safetensors"), content.array());

        // When / Then
        assertThatThrownBy(() -> SafetensorsFile.open(file))
                .isInstanceOf(CheckpointException.class)
                .hasMessageContaining("bad.safetensors")
                .hasMessageContaining(reason);
    }

    @ParameterizedTest
    @ValueSource(strings = {"UTF-16LE", "UTF-32BE", "ISO-8859-1"})
    void refusesAHeaderThatIsNotUtf8(String charset) throws IOException {
        // Given what Jackson alone would take for JSON, but for the last
        byte[] text = "{\"__metadata__\":{\"name\":\"é\"}}".getBytes(charset);
        ByteBuffer content = ByteBuffer.allocate(8 + text.length).order(ByteOrder.LITTLE_ENDIAN);
        content.putLong(text.length).put(text);
        Path file = Files.write(folder.resolve("bad.safetensors"), content.array());

        // When / Then
        assertThatThrownBy(() -> SafetensorsFile.open(file))
                .isInstanceOf(CheckpointException.class)
                .hasMessageContaining("not valid JSON");
    }

    @ParameterizedTest
    @ValueSource(longs = {1L << 31, 1L << 40, -1, 100_000_001, 0, 17})
    void refusesAHeaderLengthThatTheFileCannotHold(long length) throws IOException {
        // Given
        ByteBuffer content = ByteBuffer.allocate(24).order(ByteOrder.LITTLE_ENDIAN);
        content.putLong(length);
        Path file = Files.write(folder.resolve("bad.safetensors"), content.array());

        // When / Then
        assertThatThrownBy(() -> SafetensorsFile.open(file))
                .isInstanceOf(CheckpointException.class)
                .hasMessageContaining("claims a header of");
    }

    @Test
    void leavesNoFileWhenASourceWritesTooLittle() {
        // Given
        Path file = folder.resolve("short.safetensors");
        TensorSource lying = new TensorSource() {
            @Override
            public String name() {
                return "a";
            }

            @Override
            public DType dtype() {
                return DType.U8;
            }

            @Override
            public List<Long> shape() {
                return List.of(4L);
            }

            @Override
            public void writeTo(java.nio.channels.WritableByteChannel out) throws IOException {
                out.write(ByteBuffer.allocate(3));
            }
        };

        // When / Then
        assertThatThrownBy(() -> SafetensorsWriter.write(file, List.of(lying), Map.of()))
                .isInstanceOf(CheckpointException.class)
                .hasMessageContaining("4 bytes expected, 3 written");
        assertThat(file).doesNotExist();
    }
}
