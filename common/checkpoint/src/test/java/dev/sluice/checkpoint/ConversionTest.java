package dev.sluice.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ConversionTest {
    @TempDir
    Path folder;

    @ParameterizedTest
    @ValueSource(strings = {"torch_dist_mcore016slime_te_names", "torch_dist_mcore020_local"})
    void writesTheTensorsThatMegatronWrites(String genuine) {
        // When
        Path out = folder.resolve("torch_dist");
        Conversion.Result result = Conversion.toTorchDist(Fixtures.HUGGING_FACE, out, Progress.NONE);

        // Then every tensor of the genuine checkpoint is there, bit for bit; norms may differ in type only
        assertThat(result.tensors()).isEqualTo(133);
        try (TorchDistCheckpoint ours = TorchDistCheckpoint.open(out);
                TorchDistCheckpoint theirs = TorchDistCheckpoint.open(Fixtures.file(genuine))) {
            assertThat(ours.keys()).containsAll(theirs.keys());
            assertThat(ours.byteKeys()).containsAll(extraStates(theirs));
            for (String key : theirs.keys()) {
                assertThat(ours.entry(key).shape())
                        .as(key)
                        .isEqualTo(theirs.entry(key).shape());
                assertThat(floats(ours, key)).as(key).isEqualTo(floats(theirs, key));
            }
            assertThat(ours.arguments()).containsEntry("add_position_embedding", false);
            assertThat(ours.iteration()).isEmpty();
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"torch_dist_mcore016slime_te_names", "torch_dist_mcore020_local"})
    void turnsAGenuineMegatronCheckpointBackIntoTheOriginal(String genuine) {
        // When
        Path out = folder.resolve("hf");
        List<Long> reported = new ArrayList<>();
        Conversion.Result result = Conversion.toHuggingFace(
                Fixtures.file(genuine),
                Fixtures.HUGGING_FACE,
                out,
                400_000,
                (done, total) -> reported.add(total - done));

        // Then
        assertThat(result.tensors()).isEqualTo(135);
        assertThat(result.carriedOver()).isEmpty();
        assertThat(reported).isSortedAccordingTo(Comparator.reverseOrder()).endsWith(0L);
        assertThat(out.resolve("config.json")).hasSameBinaryContentAs(Fixtures.HUGGING_FACE.resolve("config.json"));
        assertThat(HuggingFaceCheckpoint.problems(out)).isEmpty();
        assertSameTensors(out, Fixtures.HUGGING_FACE, 135);
    }

    @Test
    void carriesOverAndListsTheLayerThatWasNotTrained() throws IOException {
        // Given a training without the multi-token-prediction layer
        Path trained = folder.resolve("trained");
        try (HuggingFaceCheckpoint source = HuggingFaceCheckpoint.open(Fixtures.HUGGING_FACE)) {
            List<TensorSource> weights = new ArrayList<>();
            for (String name : source.tensors().keySet()) {
                if (!name.startsWith("model.layers.3.")) {
                    weights.add(source.source(name));
                }
            }
            TorchDistWriter.write(trained, TrainedModel.release(source.config(), weights), Progress.NONE);
        }

        // When
        Path out = folder.resolve("hf");
        Conversion.Result result = Conversion.toHuggingFace(trained, Fixtures.HUGGING_FACE, out, Progress.NONE);

        // Then the whole layer but its shared embedding and head comes from the source
        assertThat(result.carriedOver())
                .contains("model.layers.3.eh_proj.weight")
                .allMatch(name -> name.startsWith("model.layers.3."))
                .doesNotContain("model.layers.3.embed_tokens.weight", "model.layers.3.shared_head.head.weight");
        assertThat(out.resolve("model.safetensors")).exists();
        assertSameTensors(out, Fixtures.HUGGING_FACE, 135);
    }

    @Test
    void leavesNothingBehindWhenItIsGivenUp() {
        // When
        Path out = folder.resolve("torch_dist");
        assertThatThrownBy(() -> Conversion.toTorchDist(Fixtures.HUGGING_FACE, out, (done, total) -> {
                    throw new IllegalStateException("cancelled");
                }))
                .hasMessage("cancelled");

        // Then
        assertThat(folder).isEmptyDirectory();
    }

    @Test
    void refusesADirectoryThatExists() throws IOException {
        // Given
        Path out = Files.createDirectory(folder.resolve("taken"));

        // When / Then
        assertThatThrownBy(() -> Conversion.toTorchDist(Fixtures.HUGGING_FACE, out, Progress.NONE))
                .isInstanceOf(CheckpointException.class)
                .hasMessageContaining("exists already");
    }

    @Test
    void writesTheSameFilesEveryTime() throws IOException {
        // When
        Conversion.toTorchDist(Fixtures.HUGGING_FACE, folder.resolve("one"), Progress.NONE);
        Conversion.toTorchDist(Fixtures.HUGGING_FACE, folder.resolve("two"), Progress.NONE);

        // Then
        assertThat(Manifest.verify(folder.resolve("one"))).isEqualTo(Manifest.verify(folder.resolve("two")));
    }

    private static List<String> extraStates(TorchDistCheckpoint checkpoint) {
        return checkpoint.byteKeys().stream()
                .filter(key -> key.contains("_extra_state"))
                .toList();
    }

    static void assertSameTensors(Path directory, Path expected, int count) {
        try (HuggingFaceCheckpoint ours = HuggingFaceCheckpoint.open(directory);
                HuggingFaceCheckpoint theirs = HuggingFaceCheckpoint.open(expected)) {
            assertThat(ours.tensors().keySet())
                    .isEqualTo(theirs.tensors().keySet())
                    .hasSize(count);
            for (String name : theirs.tensors().keySet()) {
                assertThat(ours.tensors().get(name).dtype())
                        .as(name)
                        .isEqualTo(theirs.tensors().get(name).dtype());
                assertThat(ours.data(name)).as(name).isEqualTo(theirs.data(name));
            }
        }
    }

    private static List<Float> floats(TorchDistCheckpoint checkpoint, String key) {
        List<Float> floats = new ArrayList<>();
        ByteBuffer data = checkpoint.read(key);
        while (data.hasRemaining()) {
            floats.add(FloatTypes.get(data, checkpoint.entry(key).dtype()));
        }
        return floats;
    }
}
