package dev.sluice.domain.constraint;

import dev.sluice.domain.model.ModelSpec.Quantization;
import java.util.Collection;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * What the program that trains can convert and train, by config.json's {@code model_type}.
 *
 * @param converted families whose checkpoints it reads and writes
 * @param mtpTrained families whose MTP layer it trains, each with the first day (ISO 8601) that does, or {@link #ALWAYS}
 * @param blockFp8Read whether it reads weights in fp8 with a scale for each block, as bf16
 */
record TrainerCapabilities(Set<String> converted, Map<String, String> mtpTrained, boolean blockFp8Read) {
    static final String ALWAYS = "";

    /** Checkpoints with DeepSeek's layout of MTP layers: one, behind the decoder layers. SGLang's loaders say so too. */
    private static final Set<String> ONE_MTP_LAYER =
            Set.of("deepseek_v3", "deepseek_v32", "glm4_moe", "glm4_moe_lite", "glm_moe_dsa", "kimi_k2");

    /** slime's megatron_utils/hf_to_megatron and megatron_to_hf (624b824a). */
    private static final TrainerCapabilities SLIME = new TrainerCapabilities(
            Set.of(
                    "deepseek_v3",
                    "deepseek_v32",
                    "glm4",
                    "glm4_moe",
                    "glm4_moe_lite",
                    "glm_moe_dsa",
                    "kimi_k2",
                    "llama",
                    "mimo",
                    "minimax_m2",
                    "qwen2",
                    "qwen2_moe",
                    "qwen3",
                    "qwen3_moe",
                    "qwen3_next",
                    "qwen3_5",
                    "qwen3_5_moe",
                    "qwen3_5_text",
                    "qwen3_5_moe_text",
                    "qwen3_vl",
                    "qwen3_vl_moe"),
            Map.ofEntries(
                    Map.entry("mimo", ALWAYS),
                    Map.entry("glm4_moe", ALWAYS),
                    Map.entry("qwen3_next", ALWAYS),
                    Map.entry("qwen3_5", ALWAYS),
                    Map.entry("qwen3_5_moe", ALWAYS),
                    Map.entry("qwen3_5_text", ALWAYS),
                    Map.entry("qwen3_5_moe_text", ALWAYS),
                    // Pull request 1712, commit e70e64766: before it the bridge wrote DeepSeek's layer 61 for every
                    // model.
                    Map.entry("glm4_moe_lite", "2026-03-11"),
                    Map.entry("deepseek_v3", "2026-03-11")),
            false);

    /** The name maps of common/checkpoint; its converter dequantises fp8 that has a scale for each block. */
    private static final TrainerCapabilities SLUICE = new TrainerCapabilities(
            Set.of("glm4_moe_lite", "glm4_moe", "deepseek_v3", "qwen2", "qwen3", "qwen3_moe", "llama", "mimo"),
            Map.of("glm4_moe_lite", ALWAYS, "glm4_moe", ALWAYS, "deepseek_v3", ALWAYS, "mimo", ALWAYS),
            true);

    private static final Map<String, TrainerCapabilities> BY_NAME =
            new TreeMap<>(Map.of("sluice", SLUICE, "slime", SLIME));

    /** Null where nothing is known of this program. */
    static @Nullable TrainerCapabilities of(String trainer) {
        return BY_NAME.get(name(trainer));
    }

    static Collection<String> trainers() {
        return BY_NAME.keySet();
    }

    /** Families it converts, in order of the alphabet. */
    Collection<String> families() {
        return new TreeSet<>(converted);
    }

    /** Whether this trainer's day or version trains the family's MTP layer. */
    boolean trainsMtp(String modelType, String trainer) {
        String since = mtpTrained.get(modelType);
        return since != null && version(trainer).compareTo(since) >= 0;
    }

    /** The first day that trains the family's MTP layer; null where no day does. */
    @Nullable
    String mtpSince(String modelType) {
        return mtpTrained.get(modelType);
    }

    /** Whether it starts from weights that are quantised so. */
    boolean reads(Quantization quantization) {
        return blockFp8Read && quantization.method().equals("fp8") && quantization.blockSize() > 0;
    }

    static boolean oneMtpLayer(String modelType) {
        return ONE_MTP_LAYER.contains(modelType);
    }

    /** {@code slime} of {@code slime@2026-08-21}. */
    static String name(String trainer) {
        return trainer.split("@", 2)[0];
    }

    private static String version(String trainer) {
        String[] parts = trainer.split("@", 2);
        return parts.length < 2 ? "" : parts[1];
    }
}
