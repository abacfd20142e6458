package dev.sluice.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class TensorTableTest {
    private static final ObjectMapper JSON = new ObjectMapper();

    @TempDir
    Path folder;

    @Test
    void theDocumentOfGlm47FlashSaysWhatTheKeyTableSays() throws IOException {
        // Given
        Files.writeString(folder.resolve("config.json"), ModelPlanTest.GLM47_FLASH);

        // When
        TensorTable.of(folder).write(folder.resolve("tensors.json"));

        // Then every line of glm47flash_keys.tsv is met; what is more are the norms as they are called without
        // TransformerEngine
        JsonNode document = JSON.readTree(folder.resolve("tensors.json").toFile());
        List<String> lines = Files.readAllLines(Fixtures.KEY_TABLE);
        Set<String> expected = new TreeSet<>();
        lines.subList(1, lines.size()).forEach(line -> expected.add(withoutWholeShape(line)));
        Set<String> found = lines(document);
        assertThat(found).containsAll(expected);
        found.removeAll(expected);
        assertThat(found)
                .isNotEmpty()
                .allMatch(line ->
                        line.split("\t")[0].matches(".*\\.(q_layernorm|kv_layernorm|pre_mlp_layernorm)\\.weight"));
        assertThat(document.path("modelType").asText()).isEqualTo("glm4_moe_lite");
        assertThat(document.path("dtype").asText()).isEqualTo("bfloat16");
        assertThat(document.path("layerKeys").asText()).isEqualTo("numbered");
        assertThat(JSON.convertValue(document.path("copies"), Map.class))
                .isEqualTo(Map.of(
                        "model.layers.47.embed_tokens.weight", "model.embed_tokens.weight",
                        "model.layers.47.shared_head.head.weight", "lm_head.weight"));
        assertThat(JSON.convertValue(document.path("paddedRows"), List.class))
                .isEqualTo(List.of("embedding.word_embeddings.weight", "output_layer.weight"));
    }

    /** The checkpoints are Megatron's own, of the same weights; see the fixtures' README. */
    @ParameterizedTest
    @CsvSource({
        "hf_tiny,torch_dist_mcore016slime_te_names",
        "hf_tiny,torch_dist_mcore020_local",
        "families/qwen2/hf,families/qwen2/torch_dist",
        "families/qwen3/hf,families/qwen3/torch_dist",
        "families/llama/hf,families/llama/torch_dist",
        "families/mimo/hf,families/mimo/torch_dist",
        "families/qwen3_moe/hf,families/qwen3_moe/torch_dist",
        "families/glm4_moe/hf,families/glm4_moe/torch_dist",
        "families/deepseek_v3/hf,families/deepseek_v3/torch_dist"
    })
    void everyTensorLiesWhereTheTableSaysInTheCheckpointThatMegatronSaved(String model, String genuine) {
        try (HuggingFaceCheckpoint weights = HuggingFaceCheckpoint.open(Fixtures.file(model));
                TorchDistCheckpoint megatron = TorchDistCheckpoint.open(Fixtures.file(genuine))) {
            // When
            TensorTable table = TensorTable.of(Fixtures.file(model));

            // Then
            Set<String> named = new TreeSet<>(table.copies().keySet());
            Set<String> keys = new TreeSet<>();
            for (TensorTable.Tensor tensor : table.tensors()) {
                named.add(tensor.name());
                long elements = 0;
                for (TensorTable.Box box : there(tensor, megatron)) {
                    keys.add(box.key());
                    elements += Shape.elements(box.sizes());
                    assertThat(megatron.read(box.key(), box.keyOffsets(), box.keySizes()))
                            .as("%s in %s", tensor.name(), box.key())
                            .isEqualTo(cut(weights, tensor, box));
                }
                assertThat(elements).as(tensor.name()).isEqualTo(Shape.elements(tensor.shape()));
            }
            assertThat(named).isEqualTo(weights.tensors().keySet());
            assertThat(keys).isEqualTo(megatron.keys());
        }
    }

    @Test
    void aModelWithTensorsThatNoNameIsKnownForIsRefused() throws IOException {
        // Given
        Files.writeString(folder.resolve("config.json"), """
                {"model_type":"llama","vocab_size":70,"hidden_size":16,"num_hidden_layers":2,"num_attention_heads":2,
                 "intermediate_size":32,"mlp_bias":true}
                """);

        // When / Then
        assertThatThrownBy(() -> TensorTable.of(folder))
                .isInstanceOf(CheckpointException.class)
                .hasMessageContaining("mlp_bias is true");
    }

    /** Boxes of a key that the checkpoint has: of two that hold the same, the first. */
    private static List<TensorTable.Box> there(TensorTable.Tensor tensor, TorchDistCheckpoint megatron) {
        List<TensorTable.Box> there = new ArrayList<>();
        for (TensorTable.Box box : tensor.boxes()) {
            if (megatron.keys().contains(box.key())
                    && (there.isEmpty() || there.getFirst().key().equals(box.key()))) {
                there.add(box);
            }
        }
        return there;
    }

    private static ByteBuffer cut(HuggingFaceCheckpoint weights, TensorTable.Tensor tensor, TensorTable.Box box) {
        TensorEntry entry = weights.tensors().get(tensor.name());
        Block whole = Block.of(Shape.origin(tensor.shape().size()), tensor.shape());
        Block wanted = Block.of(box.offsets(), box.sizes());
        ByteBuffer bytes = ByteBuffer.allocate((int) Shape.bytes(entry.dtype(), box.sizes()))
                .order(ByteOrder.LITTLE_ENDIAN);
        wanted.copy(
                weights.range(tensor.name()),
                whole,
                bytes,
                wanted,
                entry.dtype().bytes());
        return bytes;
    }

    private static String withoutWholeShape(String line) {
        List<String> fields = new ArrayList<>(List.of(line.split("\t")));
        fields.remove(2); // the Megatron tensor's, of which the table tells boxes only
        return String.join("\t", fields);
    }

    /** The document's boxes as lines of glm47flash_keys.tsv, layers and experts folded. */
    private static Set<String> lines(JsonNode document) {
        Set<String> lines = new TreeSet<>();
        for (JsonNode tensor : document.path("tensors")) {
            String name = tensor.path("name").asText().replaceFirst("\\.experts\\.\\d+\\.", ".experts.{e}.");
            for (JsonNode box : tensor.path("boxes")) {
                assertThat(box.path("sizes")).isEqualTo(tensor.path("shape"));
                String offsets = numbers(box.path("keyOffsets"));
                lines.add(String.join(
                        "\t",
                        ModelPlanTest.folded(box.path("key").asText(), "decoder.layers."),
                        tensor.path("float32").asBoolean() ? "F32" : "BF16",
                        box.path("keySizes").size() == 3 ? offsets.replaceFirst("\\[\\d+", "[{e}") : offsets,
                        numbers(box.path("keySizes")),
                        ModelPlanTest.folded(name, "model.layers."),
                        numbers(tensor.path("shape"))));
            }
        }
        return lines;
    }

    private static String numbers(JsonNode list) {
        return list.toString().replace(",", ", ");
    }
}
