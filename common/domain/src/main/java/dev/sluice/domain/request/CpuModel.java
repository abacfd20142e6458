package dev.sluice.domain.request;

import dev.sluice.domain.model.ModelSpec;
import dev.sluice.domain.model.ModelSpec.Experts;
import dev.sluice.domain.model.ModelSpec.LatentAttention;
import dev.sluice.domain.model.ModelSpec.Quantization;
import java.util.ArrayList;
import java.util.List;

/** What the cpu backend cannot compute. Better refused here than by an engine that was started for it. */
final class CpuModel {
    private static final String FAMILY = "glm4_moe_lite";

    private CpuModel() {}

    /** Everything about the model that it cannot compute; empty where it can compute the model. */
    static List<String> problems(ModelSpec model) {
        if (!model.modelType().equals(FAMILY)) {
            return List.of("model_type is \"%s\"; supported is %s".formatted(model.modelType(), FAMILY));
        }
        List<String> problems = new ArrayList<>();
        if (model.tiedEmbeddings()) {
            problems.add("tie_word_embeddings is true; this family has an output layer of its own");
        }
        if (model.attentionBias()) {
            problems.add("attention_bias is true; attention is computed without bias");
        }
        if (model.attention() instanceof LatentAttention latent && latent.queryRank() == 0) {
            problems.add("q_lora_rank is null; queries are computed through a bottleneck");
        }
        if (model.ropeScaled()) {
            problems.add("RoPE scaling is not computed; remove rope_scaling");
        }
        if (model.rotary().fraction() != 1) {
            problems.add("partial_rotary_factor is %s; RoPE turns all of its part of a head"
                    .formatted(model.rotary().fraction()));
        }
        Experts experts = model.experts();
        if (experts != null) {
            experts(experts, problems);
        }
        if (model.mtpLayers() > 1) {
            problems.add("num_nextn_predict_layers is %d; 0 or 1 is supported".formatted(model.mtpLayers()));
        }
        Quantization quantization = model.quantization();
        if (quantization != null) {
            problems.add("weights are quantised (%s); they are computed as they stand only"
                    .formatted(quantization.method()));
        }
        return problems;
    }

    private static void experts(Experts experts, List<String> problems) {
        if (experts.groups() != 1 || experts.groupsPerToken() != 1) {
            problems.add("n_group and topk_group must be 1; routing over groups of experts is not computed");
        }
        if (!experts.sigmoid() || !experts.expertBias()) {
            problems.add("scoring_func and topk_method must be sigmoid and noaux_tc; no other routing is computed");
        }
        if (!experts.denseBehind().isEmpty()) {
            problems.add("dense layers must come first in mlp_layer_types");
        }
    }
}
