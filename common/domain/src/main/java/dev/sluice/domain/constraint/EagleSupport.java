package dev.sluice.domain.constraint;

import dev.sluice.domain.candidate.Version;
import java.util.Collection;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * Since when SGLang drafts with the MTP layer of a checkpoint's own, by architecture. Read in
 * configs/model_config.py {@code _config_draft_model} of the releases 0.4.9, 0.5.3, 0.5.5.post1, 0.5.7 to 0.5.10 and 0.5.12 to
 * 0.5.15.post1: an architecture's version is the first of them that maps it right.
 *
 * @param since the first release that drafts
 * @param patchedSince the first release that drafts with slime's patch, absent where the patch changes nothing
 * @param counted whether config.json says how many MTP layers there are; where not, SGLang takes one for granted
 */
record EagleSupport(String since, @Nullable String patchedSince, boolean counted) {
    private static final Map<String, EagleSupport> BY_ARCHITECTURE = new TreeMap<>(Map.ofEntries(
            Map.entry("DeepseekV3ForCausalLM", new EagleSupport("0.4.9", null, true)),
            // Read as DeepseekV3ForCausalLM by SGLang's utils/hf_transformers_utils.py.
            Map.entry("DeepseekV32ForCausalLM", new EagleSupport("0.5.3", null, true)),
            Map.entry("MiMoForCausalLM", new EagleSupport("0.4.9", null, true)),
            Map.entry("Glm4MoeForCausalLM", new EagleSupport("0.5.3", null, true)),
            // 0.5.8 to 0.5.12 map it to the layer of Glm4MoeForCausalLM, whose attention is another; slime's patch of
            // 0.5.12.post1 has the right one.
            Map.entry("Glm4MoeLiteForCausalLM", new EagleSupport("0.5.13", "0.5.12.post1", true)),
            Map.entry("GlmMoeDsaForCausalLM", new EagleSupport("0.5.9", null, true)),
            Map.entry("Qwen3NextForCausalLM", new EagleSupport("0.5.3", null, false)),
            Map.entry("Qwen3_5ForConditionalGeneration", new EagleSupport("0.5.9", null, false)),
            Map.entry("Qwen3_5MoeForConditionalGeneration", new EagleSupport("0.5.9", null, false))));

    /** Null where no release read drafts with this architecture's MTP layer. */
    static @Nullable EagleSupport of(String architecture) {
        return BY_ARCHITECTURE.get(architecture);
    }

    static Collection<String> architectures() {
        return BY_ARCHITECTURE.keySet();
    }

    /** Whether this SGLang drafts; a version such as {@code 0.5.12.post1+slime} has slime's patch. */
    boolean in(Version sglang) {
        return sglang.atLeast(since)
                || (patchedSince != null && sglang.text().contains("slime") && sglang.atLeast(patchedSince));
    }
}
