package dev.sluice.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class CheckpointViewTest {
    private static final int WINDOW = 1000;

    @TempDir
    Path folder;

    @ParameterizedTest
    @ValueSource(strings = {"torch_dist_mcore016slime_te_names", "torch_dist_mcore020_local"})
    void aMegatronCheckpointUnderHuggingFaceNamesHoldsTheOriginalBytes(String genuine) {
        try (CheckpointView original = CheckpointView.open(Fixtures.HUGGING_FACE);
                CheckpointView keys = CheckpointView.open(Fixtures.file(genuine));
                CheckpointView named =
                        keys.underHuggingFaceNames(original.config().orElseThrow())) {
            assertThat(named.tensors().keySet())
                    .isEqualTo(original.tensors().keySet())
                    .hasSize(135);
            for (String name : original.tensors().keySet()) {
                List<Long> shape = original.tensors().get(name).shape();
                for (Window window : Window.of(shape, WINDOW)) {
                    assertThat(named.reader(name).read(window))
                            .as(name)
                            .isEqualTo(original.reader(name).read(window));
                }
            }
        }
    }

    /** Windows of a tensor that ranks saved in pieces are the pieces of the whole, which other tests compare with Megatron's. */
    @Test
    void windowsOfAMegatronTensorAreThoseOfTheWhole() {
        try (TorchDistCheckpoint checkpoint = TorchDistCheckpoint.open(Fixtures.TORCH_DIST_020);
                CheckpointView view = CheckpointView.open(Fixtures.TORCH_DIST_020)) {
            for (String key : checkpoint.keys()) {
                ByteBuffer whole =
                        ByteBuffer.allocate((int) checkpoint.entry(key).bytes());
                TensorReader reader = view.reader(key);
                Window.of(checkpoint.entry(key).shape(), WINDOW).forEach(window -> whole.put(reader.read(window)));
                assertThat(whole.flip()).as(key).isEqualTo(checkpoint.read(key));
            }
        }
    }

    @Test
    void tellsWhatEachFormatHolds() {
        try (CheckpointView view = CheckpointView.open(Fixtures.HUGGING_FACE)) {
            assertThat(view.format()).isEqualTo(CheckpointFormat.HUGGING_FACE);
            assertThat(view.iteration()).isEmpty();
            assertThat(view.problems()).isEmpty();
            assertThat(view.files()).containsKeys("config.json", "model-00001-of-00002.safetensors");
        }
        try (CheckpointView view = CheckpointView.open(Fixtures.TORCH_DIST_016)) {
            assertThat(view.format()).isEqualTo(CheckpointFormat.TORCH_DIST);
            assertThat(view.iteration()).hasValue("release");
            assertThat(view.arguments()).containsEntry("num_layers", 3L);
            assertThat(view.items()).isNotEmpty();
            assertThat(view.states()).isEmpty();
            assertThat(view.problems()).isEmpty();
            assertThat(view.files()).containsKeys(".metadata", "common.pt", "__0_1.distcp");
        }
        try (CheckpointView view = CheckpointView.open(Fixtures.file("parity_hf.safetensors"))) {
            assertThat(view.format()).isEqualTo(CheckpointFormat.SAFETENSORS);
            assertThat(view.tensors()).containsKey("hf.logits");
            assertThat(view.files()).containsOnlyKeys("parity_hf.safetensors");
        }
    }

    @Test
    void optimizerStatesAreNoWeights() throws IOException {
        // Given an iteration with a state for one weight, and a copy of it under a name of its own
        try (HuggingFaceCheckpoint source = HuggingFaceCheckpoint.open(Fixtures.HUGGING_FACE)) {
            List<TensorSource> weights = source.tensors().keySet().stream()
                    .filter(name -> !name.startsWith("model.layers.3."))
                    .map(source::source)
                    .toList();
            Map<String, List<TensorSource>> states = Map.of("exp_avg", List.of(source.source("model.norm.weight")));
            TrainedModel model =
                    new TrainedModel(source.config(), OptionalLong.of(12), weights, states, new HashMap<>());
            TorchDistWriter.write(folder, model, Progress.NONE);
        }

        // When / Then
        try (CheckpointView view = CheckpointView.open(folder)) {
            assertThat(view.iteration()).hasValue("12");
            assertThat(view.states()).containsOnlyKeys("optimizer.state.exp_avg.decoder.final_layernorm.weight");
            assertThat(view.tensors()).doesNotContainKey("optimizer.state.exp_avg.decoder.final_layernorm.weight");
            Window whole = Window.of(List.of(64L), 64).iterator().next();
            assertThat(view.reader("optimizer.state.exp_avg.decoder.final_layernorm.weight")
                            .read(whole))
                    .isEqualTo(view.reader("decoder.final_layernorm.weight").read(whole));
        }
    }

    @Test
    void notesPaddingAndTensorsWithoutAName() {
        try (HuggingFaceCheckpoint source = HuggingFaceCheckpoint.open(Fixtures.HUGGING_FACE);
                CheckpointView view = CheckpointView.open(Fixtures.TORCH_DIST_020)) {
            assertThat(view.notes()).isEmpty();
            assertThat(view.underHuggingFaceNames(source.config()).notes())
                    .hasSize(2)
                    .allMatch(note -> note.contains("320 rows; the 20 after the vocabulary of 300"));
        }
    }

    @Test
    void aModelOfAnUnknownFamilyIsReadUnderItsOwnNames() throws IOException {
        // Given
        SafetensorsWriter.write(
                folder.resolve("model.safetensors"),
                List.of(TensorSource.of("wte.weight", DType.F32, List.of(2L), floats(1, 2))),
                Map.of("format", "pt"));
        Files.writeString(folder.resolve("config.json"), "{\"model_type\": \"gpt2\"}");

        // When / Then
        try (CheckpointView view = CheckpointView.open(folder)) {
            assertThat(view.tensors()).containsOnlyKeys("wte.weight");
            assertThat(view.problems()).isEmpty();
            assertThat(view.notes()).singleElement().asString().contains("gpt2", "not converted");
            assertThat(view.copies()).isEmpty();
            assertThatThrownBy(() -> view.reader("nothing")).hasMessageContaining("no tensor nothing");
        }
    }

    @ParameterizedTest
    @CsvSource({
        "notes.txt,         '',                    'it holds notes.txt; a Hugging Face directory has config.json'",
        "pytorch_model.bin, '',                    save the model as safetensors",
        "iter_0000020/x,    '',                    'give the iteration itself, such as iter_0000020'",
        "x,                 x,                     not a safetensors file",
        "x,                 y,                     there is no file or directory",
        "metadata.json,     '',                    is not a complete torch_dist checkpoint",
    })
    void saysWhatIsThereInsteadOfACheckpoint(String file, String opened, String reason) throws IOException {
        // Given
        Path path = folder.resolve(file);
        Files.createDirectories(path.getParent());
        Files.writeString(path, "{}");

        // When / Then
        assertThatThrownBy(() -> CheckpointView.open(folder.resolve(opened)))
                .isInstanceOf(CheckpointException.class)
                .hasMessageContaining(reason);
    }

    @Test
    void anEmptyDirectoryHoldsNothing() {
        assertThatThrownBy(() -> CheckpointFormat.of(folder)).hasMessageContaining("it holds nothing");
    }

    private static ByteBuffer floats(float... values) {
        ByteBuffer data = ByteBuffer.allocate(4 * values.length).order(ByteOrder.LITTLE_ENDIAN);
        for (float value : values) {
            data.putFloat(value);
        }
        return data.flip();
    }
}
