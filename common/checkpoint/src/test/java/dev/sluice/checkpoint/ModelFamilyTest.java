package dev.sluice.checkpoint;

import static dev.sluice.checkpoint.ConversionTest.assertSameTensors;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Every family against checkpoints that Megatron-Core 0.16.1 saved of the same weights, mapped by mbridge and slime; see src/test/fixtures/README.md. */
class ModelFamilyTest {
    @TempDir
    Path folder;

    @ParameterizedTest
    @CsvSource({
        "qwen2,TRANSFORMER_ENGINE",
        "qwen3,TRANSFORMER_ENGINE",
        "llama,TRANSFORMER_ENGINE",
        "mimo,TRANSFORMER_ENGINE",
        "qwen3_moe,TRANSFORMER_ENGINE",
        "glm4_moe,TRANSFORMER_ENGINE",
        "deepseek_v3,LOCAL"
    })
    void namesAndShapesTheTensorsAsMegatronDoes(String family, Naming naming) {
        // When
        ModelPlan plan = plan(family, naming);

        // Then
        assertThat(shapes(plan)).isEqualTo(shapes(genuine(family)));
        assertThat(plan.extraStates()).doesNotHaveDuplicates().containsAll(extraStates(genuine(family)));
    }

    @ParameterizedTest
    @ValueSource(strings = {"qwen3_moe", "glm4_moe"})
    void namesTheTensorsOfLocalLayersAsMegatronDoes(String family) throws IOException {
        // When
        ModelPlan plan = plan(family, Naming.LOCAL);

        // Then each line is a key, a shape, a type and the number of chunks, or a key and "bytes"
        Map<String, String> expected = new TreeMap<>();
        for (String line : Files.readAllLines(Fixtures.FAMILIES.resolve(family + "/local_keys.txt"))) {
            if (line.endsWith(" bytes")) {
                assertThat(plan.extraStates()).contains(line.substring(0, line.indexOf(' ')));
            } else {
                expected.put(line.substring(0, line.indexOf(' ')), line.replaceFirst(".* (\\[.*]).*", "$1"));
            }
        }
        Map<String, String> actual = new TreeMap<>();
        shapes(plan).forEach((key, shape) -> actual.put(key, shape.toString()));
        assertThat(actual).isEqualTo(expected);
    }

    @ParameterizedTest
    @ValueSource(strings = {"qwen2", "qwen3", "llama", "mimo", "qwen3_moe", "glm4_moe", "deepseek_v3"})
    void writesTheBytesThatMegatronWrites(String family) {
        // When
        Conversion.toTorchDist(huggingFace(family), folder.resolve("out"), Progress.NONE);

        // Then
        try (TorchDistCheckpoint ours = TorchDistCheckpoint.open(folder.resolve("out"));
                TorchDistCheckpoint theirs = TorchDistCheckpoint.open(genuine(family))) {
            assertThat(ours.keys()).containsAll(theirs.keys());
            for (String key : theirs.keys()) {
                assertThat(ours.entry(key)).as(key).isEqualTo(theirs.entry(key));
                assertThat(ours.read(key)).as(key).isEqualTo(theirs.read(key));
            }
        }
    }

    @ParameterizedTest
    @CsvSource({
        "qwen2,torch_dist,26",
        "qwen3,torch_dist,25",
        "llama,torch_dist,21",
        "llama,torch_dist_numbered,21",
        "mimo,torch_dist,43",
        "mimo,torch_dist_tp2,43",
        "qwen3_moe,torch_dist,33",
        "glm4_moe,torch_dist,67",
        "deepseek_v3,torch_dist,61"
    })
    void turnsMegatronsCheckpointBackIntoTheOriginal(String family, String genuine, int tensors) {
        // When
        Path trained = Fixtures.FAMILIES.resolve(family).resolve(genuine);
        Conversion.Result result =
                Conversion.toHuggingFace(trained, huggingFace(family), folder.resolve("out"), Progress.NONE);

        // Then
        assertThat(result.carriedOver()).isEmpty();
        assertSameTensors(folder.resolve("out"), huggingFace(family), tensors);
    }

    @ParameterizedTest
    @ValueSource(strings = {"qwen2", "qwen3", "llama", "mimo", "qwen3_moe", "glm4_moe", "deepseek_v3"})
    void losesNothingThereAndBack(String family) {
        // When
        Conversion.toTorchDist(huggingFace(family), folder.resolve("there"), Progress.NONE);
        Conversion.Result result = Conversion.toHuggingFace(
                folder.resolve("there"), huggingFace(family), folder.resolve("back"), Progress.NONE);

        // Then
        assertThat(HuggingFaceCheckpoint.problems(folder.resolve("back"))).isEmpty();
        assertThatCode(() -> Manifest.verify(folder.resolve("there"))).doesNotThrowAnyException();
        assertThatCode(() -> Manifest.verify(folder.resolve("back"))).doesNotThrowAnyException();
        assertSameTensors(folder.resolve("back"), huggingFace(family), result.tensors());
    }

    @Test
    void mapsKimiK2AsDeepSeekV3() {
        // Given
        String deepSeek = config("deepseek_v3").json().toString();

        // When / Then
        assertThat(ModelPlan.of(config(deepSeek, "deepseek_v3", "kimi_k2"), Naming.UNIVERSAL, true))
                .isEqualTo(plan("deepseek_v3", Naming.UNIVERSAL));
    }

    @Test
    void readsTheDialectOfTransformers5InEveryFamilyWithExperts() {
        for (String family : List.of("glm4_moe", "deepseek_v3")) {
            // Given
            String resaved = config(family)
                    .json()
                    .toString()
                    .replace("\"first_k_dense_replace\":1", "\"mlp_layer_types\":[\"dense\",\"sparse\"]")
                    .replace("\"torch_dtype\"", "\"dtype\"")
                    .replace("\"rope_theta\":10000.0", "\"rope_parameters\":{\"rope_theta\":10000.0}");

            // When / Then
            assertThat(ModelPlan.of(config(resaved, "", ""), Naming.UNIVERSAL, true))
                    .isEqualTo(plan(family, Naming.UNIVERSAL));
        }
    }

    @Test
    void mapsALatentAttentionWithoutLatentQueries() {
        // Given Moonlight-16B-A3B's kind of configuration
        String moonlight = config("deepseek_v3").json().toString();

        // When
        ModelPlan plan = ModelPlan.of(
                config(moonlight, "\"q_lora_rank\":24", "\"q_lora_rank\":null"), Naming.TRANSFORMER_ENGINE, true);

        // Then
        assertThat(shapes(plan))
                .containsEntry("decoder.layers.0.self_attention.linear_q_proj.weight", List.of(64L, 16L))
                .doesNotContainKey("decoder.layers.0.self_attention.linear_q_down_proj.weight");
        assertThat(plan.extraStates()).contains("decoder.layers.1.self_attention.linear_q_proj._extra_state/shard_0_1");
    }

    @Test
    void refusesAModelWithTensorsThatItsFamilyDoesNotName() throws IOException {
        // Given
        Files.writeString(
                folder.resolve("config.json"),
                config("llama").json().toString().replace("\"mlp_bias\":false", "\"mlp_bias\":true"));
        Files.copy(huggingFace("llama").resolve("model.safetensors"), folder.resolve("model.safetensors"));

        // When / Then
        assertThat(HuggingFaceCheckpoint.problems(folder))
                .singleElement()
                .asString()
                .contains("mlp_bias is true", "llama", "only false is supported");
    }

    @Test
    void refusesHeadsThatDoNotDivideOverTheirGroups() {
        // Given
        String config = config("qwen3").json().toString();

        // When / Then
        assertThatThrownBy(() -> ModelPlan.of(
                        config(config, "\"num_key_value_heads\":2", "\"num_key_value_heads\":3"),
                        Naming.UNIVERSAL,
                        false))
                .isInstanceOf(CheckpointException.class)
                .hasMessageContaining("4 num_attention_heads do not divide over 3 num_key_value_heads");
    }

    @Test
    void refusesMoreHeadsThanMemoryHolds() {
        String config = config("qwen3").json().toString();
        assertThatThrownBy(() -> ModelPlan.of(
                        config(config, "\"num_attention_heads\":4", "\"num_attention_heads\":16777216"),
                        Naming.UNIVERSAL,
                        false))
                .isInstanceOf(CheckpointException.class)
                .hasMessageContaining("num_attention_heads is 16777216; at most 1024");
    }

    private static Path huggingFace(String family) {
        return Fixtures.FAMILIES.resolve(family).resolve("hf");
    }

    private static Path genuine(String family) {
        return Fixtures.FAMILIES.resolve(family).resolve("torch_dist");
    }

    private static ModelPlan plan(String family, Naming naming) {
        return ModelPlan.of(config(family), naming, true);
    }

    private static ModelConfig config(String family) {
        return new ModelConfig(Json.file(huggingFace(family).resolve("config.json")));
    }

    private static ModelConfig config(String json, String from, String to) {
        return new ModelConfig(Json.object(json.replace(from, to).getBytes(StandardCharsets.UTF_8), "config.json"));
    }

    private static Map<String, List<Long>> shapes(ModelPlan plan) {
        Map<String, List<Long>> shapes = new TreeMap<>();
        plan.tensors().forEach(tensor -> shapes.put(tensor.key(), tensor.shape()));
        return shapes;
    }

    private static Map<String, List<Long>> shapes(Path genuine) {
        try (TorchDistCheckpoint checkpoint = TorchDistCheckpoint.open(genuine)) {
            Map<String, List<Long>> shapes = new TreeMap<>();
            checkpoint
                    .keys()
                    .forEach(key -> shapes.put(key, checkpoint.entry(key).shape()));
            return shapes;
        }
    }

    private static TreeSet<String> extraStates(Path genuine) {
        try (TorchDistCheckpoint checkpoint = TorchDistCheckpoint.open(genuine)) {
            TreeSet<String> keys = new TreeSet<>(checkpoint.byteKeys());
            keys.removeIf(key -> !key.contains("_extra_state"));
            return keys;
        }
    }
}
