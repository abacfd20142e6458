package dev.sluice.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.checkpoint.MegatronTensor.Cut;
import dev.sluice.checkpoint.MegatronTensor.Part;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;

class ModelPlanTest {
    /** The released configuration of GLM-4.7-Flash, as far as shapes depend on it. */
    static final String GLM47_FLASH = """
            {"model_type":"glm4_moe_lite","vocab_size":154880,"hidden_size":2048,"num_hidden_layers":47,"first_k_dense_replace":1,
             "num_attention_heads":20,"num_nextn_predict_layers":1,"q_lora_rank":768,"kv_lora_rank":512,"qk_nope_head_dim":192,
             "qk_rope_head_dim":64,"v_head_dim":256,"intermediate_size":10240,"moe_intermediate_size":1536,"n_routed_experts":64,
             "num_experts_per_tok":4,"n_shared_experts":1,"dtype":"bfloat16"}
            """;

    @Test
    void namesEveryTensorOfGlm47FlashAsTheKeyTableDoes() throws IOException {
        // When
        ModelPlan plan = ModelPlan.of(config(GLM47_FLASH), Naming.TRANSFORMER_ENGINE, true);

        // Then every chunk, with layers and experts folded, is a line of glm47flash_keys.tsv, and every line is met
        Set<String> lines = new TreeSet<>();
        for (MegatronTensor tensor : plan.tensors()) {
            tensor.parts().forEach(part -> lines.add(line(tensor, part)));
        }
        List<String> table = Files.readAllLines(Fixtures.KEY_TABLE);
        assertThat(lines).containsExactlyInAnyOrderElementsOf(table.subList(1, table.size()));
    }

    @Test
    void countsWhatTheReferenceConverterCounts() {
        // When
        ModelPlan with = ModelPlan.of(config(GLM47_FLASH), Naming.TRANSFORMER_ENGINE, true);
        ModelPlan without = ModelPlan.of(config(GLM47_FLASH), Naming.TRANSFORMER_ENGINE, false);

        // Then the numbers are those of the reference converter for the real model
        assertThat(with.tensors()).hasSize(723);
        assertThat(chunks(with)).isEqualTo(9_701);
        assertThat(bytes(with)).isEqualTo(61_174_206_208L);
        assertThat(with.extraStates()).hasSize(6_597).doesNotHaveDuplicates();
        assertThat(without.tensors()).hasSize(704);
        assertThat(chunks(without)).isEqualTo(9_491);
        assertThat(bytes(without)).isEqualTo(59_886_793_728L);
        assertThat(without.extraStates()).hasSize(6_453).doesNotHaveDuplicates();
    }

    @Test
    void readsTheDialectOfTransformers5AsTheReleasedOne() {
        // Given
        String types = "\"mlp_layer_types\":[\"dense\"" + ",\"sparse\"".repeat(46) + "]";
        String resaved = GLM47_FLASH
                .replace("\"first_k_dense_replace\":1", types)
                .replace("\"dtype\"", "\"rope_parameters\":{\"rope_theta\":1000000},\"torch_dtype\"");

        // When / Then
        assertThat(ModelPlan.of(config(resaved), Naming.UNIVERSAL, true))
                .isEqualTo(ModelPlan.of(config(GLM47_FLASH), Naming.UNIVERSAL, true));
        assertThat(config(resaved).ropeTheta()).isEqualTo(1e6);
        assertThat(config(resaved).dtype()).isEqualTo(DType.BF16);
    }

    @Test
    void agreesWithMegatronsOwnListingInKeysTypesAndShapes() {
        for (var genuine : Map.of(
                        Fixtures.TORCH_DIST_016, Naming.TRANSFORMER_ENGINE, Fixtures.TORCH_DIST_020, Naming.LOCAL)
                .entrySet()) {
            try (TorchDistCheckpoint checkpoint = TorchDistCheckpoint.open(genuine.getKey());
                    HuggingFaceCheckpoint source = HuggingFaceCheckpoint.open(Fixtures.HUGGING_FACE)) {
                // When
                ModelPlan plan = ModelPlan.of(new ModelConfig(source.config()), genuine.getValue(), true);

                // Then
                Map<String, List<Long>> shapes = new TreeMap<>();
                plan.tensors().forEach(tensor -> shapes.put(tensor.key(), tensor.shape()));
                Map<String, List<Long>> expected = new TreeMap<>();
                checkpoint
                        .keys()
                        .forEach(key -> expected.put(key, checkpoint.entry(key).shape()));
                assertThat(shapes).isEqualTo(expected);
            }
        }
    }

    private static ModelConfig config(String json) {
        return new ModelConfig(Json.object(json.getBytes(StandardCharsets.UTF_8), "config.json"));
    }

    private static long chunks(ModelPlan plan) {
        return plan.tensors().stream().mapToLong(t -> t.parts().size()).sum();
    }

    private static long bytes(ModelPlan plan) {
        return plan.tensors().stream()
                .mapToLong(t -> Shape.bytes(t.float32() ? DType.F32 : DType.BF16, t.shape()))
                .sum();
    }

    private static String line(MegatronTensor tensor, Part part) {
        boolean stacked = part.sizes().size() == 3;
        String offsets = stacked
                ? part.offsets().toString().replaceFirst("\\[\\d+", "[{e}")
                : part.offsets().toString();
        Cut cut = part.cuts().getFirst();
        String name = cut.name().replaceFirst("\\.experts\\.\\d+\\.", ".experts.{e}.");
        return String.join(
                "\t",
                folded(tensor.key(), "decoder.layers."),
                tensor.float32() ? "F32" : "BF16",
                tensor.shape().toString(),
                offsets,
                part.sizes().toString(),
                folded(name, "model.layers."),
                cut.shape().toString());
    }

    static String folded(String name, String prefix) {
        return name.replaceFirst("^(\\Q" + prefix + "\\E)([1-9]|[1-3]\\d|4[0-6])\\.", "$1{1..46}.");
    }
}
