package dev.sluice.workerapi;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sluice.checkpoint.DType;
import dev.sluice.checkpoint.SafetensorsFile;
import dev.sluice.checkpoint.SafetensorsWriter;
import dev.sluice.checkpoint.TensorEntry;
import dev.sluice.checkpoint.TensorSource;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class BatchFileTest {
    @TempDir
    private Path folder;

    @Test
    void aBatchComesBackAsItWasWritten() {
        Batch batch = TestBatches.twoSamples();
        BatchFile.write(folder.resolve("batch"), batch);

        Batch read = BatchFile.read(folder.resolve("batch"));

        assertThat(read).usingRecursiveComparison().isEqualTo(batch);
        assertThat(read.length(1)).isEqualTo(4);
        assertThat(read.optimizerStep(1)).isEqualTo(1);
    }

    @Test
    void theSameBatchGivesTheSameBytes() {
        String once = BatchFile.write(folder.resolve("a"), TestBatches.twoSamples());

        String again = BatchFile.write(folder.resolve("b"), TestBatches.twoSamples());

        assertThat(again).isEqualTo(once).isEqualTo(BatchFile.sha256(folder.resolve("a")));
    }

    /** The Megatron worker's tests read the same file, so that both sides of the wire are held to it. */
    @Test
    void theBytesAreThoseOfTheGoldenFile() {
        Path golden = Path.of(
                System.getProperty("sluice.root"), "common/worker-api/src/test/fixtures/golden/batch.safetensors");

        String written = BatchFile.write(folder.resolve("batch"), TestBatches.twoSamples());

        assertThat(written).isEqualTo(BatchFile.sha256(golden));
        assertThat(BatchFile.read(golden)).usingRecursiveComparison().isEqualTo(TestBatches.twoSamples());
    }

    @Test
    void columnsHaveTheNamesTypesAndShapesOfTheFormat() {
        BatchFile.write(folder.resolve("batch"), TestBatches.twoSamples());

        try (SafetensorsFile file = SafetensorsFile.open(folder.resolve("batch"))) {
            Map<String, String> columns = new HashMap<>();
            for (TensorEntry tensor : file.tensors().values()) {
                columns.put(tensor.name(), tensor.dtype() + " " + tensor.shape());
            }
            assertThat(columns)
                    .containsOnly(
                            Map.entry("tokens", "I32 [7]"),
                            Map.entry("cu_seqlens", "I32 [3]"),
                            Map.entry("prompt_lengths", "I32 [2]"),
                            Map.entry("sample_id", "I64 [2]"),
                            Map.entry("group", "I32 [2]"),
                            Map.entry("loss_denominator", "F32 [2]"),
                            Map.entry("truncated", "U8 [2]"),
                            Map.entry("loss_mask", "U8 [7]"),
                            Map.entry("advantages", "F32 [7]"),
                            Map.entry("rollout_logprobs", "F32 [7]"),
                            Map.entry("weight_version", "I32 [7]"),
                            Map.entry("schedule", "I32 [2, 3]"),
                            Map.entry("old_logprobs", "F32 [7]"));
            assertThat(file.metadata())
                    .containsOnly(
                            Map.entry("formatVersion", "1"),
                            Map.entry("runId", "run-1"),
                            Map.entry("step", "4"),
                            Map.entry("epoch", "2"),
                            Map.entry("temperature", "0.8"),
                            Map.entry("topP", "1.0"),
                            Map.entry("topK", "0"),
                            Map.entry("contentSha256", "ab12"),
                            Map.entry("lossNormaliser", "{\"kind\":\"sample\",\"value\":2.0}"));
        }
    }

    @Test
    void aGradientInAPromptIsRefused() {
        assertThatThrownBy(() -> TestBatches.withMask(new byte[] {1, 1, 1, 0, 0, 1, 1}, new int[] {0, 3, 7}, Map.of()))
                .isInstanceOfSatisfying(
                        WorkerException.class, e -> assertThat(e.code()).isEqualTo(WorkerErrorCode.BAD_BATCH))
                .hasMessageContaining("token 0 is in the prompt of sample 0 but not masked");
    }

    @Test
    void boundariesThatDoNotCoverTheTokensAreRefused() {
        assertThatThrownBy(() -> TestBatches.withMask(new byte[7], new int[] {0, 3, 9}, Map.of()))
                .hasMessageContaining("cu_seqlens goes from 0 to 9, expected 0 to 7");
    }

    @Test
    void aBoundaryBeyondTheTokensIsNamedWhereverItStands() {
        assertThatThrownBy(() -> TestBatches.withMask(new byte[7], new int[] {0, 99, 7}, Map.of()))
                .isInstanceOfSatisfying(
                        WorkerException.class, e -> assertThat(e.code()).isEqualTo(WorkerErrorCode.BAD_BATCH))
                .hasMessageContainingAll(
                        "sample 0 goes from 0 to 99 of 7 tokens", "sample 1 has -92 tokens, of which 2 are its prompt");
    }

    @Test
    void everyColumnOfAWrongLengthIsNamed() {
        assertThatThrownBy(() -> TestBatches.withMask(
                        new byte[6], new int[] {0, 3, 7}, Map.of(Batch.Column.RETURNS, new float[8])))
                .hasMessageContainingAll("loss_mask has 6 entries, expected 7", "returns has 8 entries, expected 7");
    }

    @Test
    void aFileOfAnotherFormatVersionIsRefused() {
        Path file = rewritten(Map.of("formatVersion", "2"), List.of());

        assertThatThrownBy(() -> BatchFile.read(file)).hasMessageContaining("format version 2; this worker reads 1");
    }

    @Test
    void aFileThatLacksAColumnIsRefused() {
        Path file = rewritten(Map.of(), List.of("advantages"));

        assertThatThrownBy(() -> BatchFile.read(file)).hasMessageContaining("no tensor advantages");
    }

    @Test
    void aMissingFileIsNamed() {
        assertThatThrownBy(() -> BatchFile.read(folder.resolve("nowhere")))
                .isInstanceOf(WorkerException.class)
                .hasMessageContaining("nowhere");
    }

    private Path rewritten(Map<String, String> changedMetadata, List<String> droppedTensors) {
        BatchFile.write(folder.resolve("good"), TestBatches.twoSamples());
        try (SafetensorsFile file = SafetensorsFile.open(folder.resolve("good"))) {
            Map<String, String> metadata = new HashMap<>(file.metadata());
            metadata.putAll(changedMetadata);
            List<TensorSource> tensors = new ArrayList<>();
            file.tensors().forEach((name, tensor) -> {
                if (!droppedTensors.contains(name)) {
                    DType dtype = tensor.dtype();
                    tensors.add(TensorSource.of(name, dtype, tensor.shape(), file.data(name)));
                }
            });
            SafetensorsWriter.write(folder.resolve("changed"), tensors, metadata);
        }
        return folder.resolve("changed");
    }
}
