package dev.sluice.domain.model;

import com.fasterxml.jackson.databind.JsonNode;
import dev.sluice.domain.model.ModelFamily.Trait;
import dev.sluice.domain.model.ModelSpec.Experts;
import java.util.Set;
import java.util.function.IntPredicate;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/** Reads feed-forward blocks, dense or of experts, and which layer has which. */
record FeedForwardReader(ConfigValues values, ModelFamily family) {
    private static final int MOST_EXPERTS = 1 << 13;
    private static final int MOST_EXPERT_SIZE = 1 << 17;
    private static final int MOST_SHARED = 1 << 8;
    private static final int UNKNOWN = ConfigValues.UNKNOWN;

    Experts experts(int layers) {
        int count = values.size(MOST_EXPERTS, "n_routed_experts", "num_experts", "num_local_experts");
        int perToken = values.size(MOST_EXPERTS, "num_experts_per_tok");
        if (count != UNKNOWN && perToken > count) {
            values.problem("num_experts_per_tok is %d but %s only %d", perToken, countKey(), count);
        }
        int size = values.size(MOST_EXPERT_SIZE, sizeKey());
        Set<Integer> dense = dense(layers);
        int first = (int) IntStream.range(0, layers).takeWhile(dense::contains).count();
        int groups = values.size(MOST_EXPERTS, "n_group");
        int groupsPerToken = values.size(MOST_EXPERTS, "topk_group");
        if (count != UNKNOWN && groups != UNKNOWN && (count % groups != 0 || groupsPerToken > groups)) {
            values.problem(
                    "%d experts do not divide into n_group %d of which a token uses topk_group %d",
                    count, groups, groupsPerToken);
        }
        return new Experts(
                count,
                perToken,
                size,
                sharedSize(size),
                family.has(Trait.SHARED_GATE),
                first,
                values.positive("routed_scaling_factor"),
                sigmoid(),
                values.flag("use_routing_bias") || values.text("topk_method").equals("noaux_tc"),
                groups,
                groupsPerToken,
                dense.stream().filter(layer -> layer >= first).collect(Collectors.toSet()),
                family.has(Trait.EXPERT_BIASES));
    }

    /** Width of dense blocks; where every layer has experts it need not be said, and is then an expert's. */
    int denseSize(@Nullable Experts experts) {
        boolean someDense = experts == null
                || experts.denseLayers() > 0
                || !experts.denseBehind().isEmpty();
        return someDense || values.has("intermediate_size")
                ? values.size(SpecReader.MOST_FEED_FORWARD, "intermediate_size")
                : experts.size();
    }

    private String countKey() {
        return values.has("n_routed_experts")
                ? "n_routed_experts"
                : values.has("num_experts") ? "num_experts" : "num_local_experts";
    }

    private String sizeKey() {
        return family.has(Trait.PLAIN_EXPERT_SIZE) ? "intermediate_size" : "moe_intermediate_size";
    }

    private int sharedSize(int size) {
        for (String key : new String[] {"shared_expert_intermediate_size", "shared_intermediate_size"}) {
            if (values.has(key)) {
                return values.count(MOST_EXPERT_SIZE, key);
            }
        }
        return values.count(MOST_SHARED, "n_shared_experts") * size;
    }

    private boolean sigmoid() {
        String scoring = values.text("scoring_func");
        if (!scoring.equals("sigmoid") && !scoring.equals("softmax")) {
            values.problem(
                    "scoring_func is %s; sigmoid and softmax are known",
                    ConfigValues.shown(values.find("scoring_func")));
        }
        return scoring.equals("sigmoid");
    }

    /** Layers without experts: transformers 5 names each layer's kind, released configurations count or list them. */
    private Set<Integer> dense(int layers) {
        JsonNode kinds = values.find("mlp_layer_types");
        return kinds.isMissingNode() ? counted(layers) : named(layers, kinds);
    }

    private Set<Integer> named(int layers, JsonNode kinds) {
        boolean sound = kinds.isArray()
                && kinds.valueStream()
                        .allMatch(kind ->
                                kind.asText().equals("dense") || kind.asText().equals("sparse"));
        if (!sound) {
            values.problem("mlp_layer_types is not a list of \"dense\" and \"sparse\"");
            return Set.of();
        }
        if (layers != UNKNOWN && kinds.size() != layers) {
            values.problem("mlp_layer_types names %d layers but num_hidden_layers is %d", kinds.size(), layers);
        }
        return layersWhere(layers, layer -> kinds.path(layer).asText().equals("dense"));
    }

    private Set<Integer> counted(int layers) {
        int front = values.count(SpecReader.MOST_LAYERS, "first_k_dense_replace");
        if (layers != UNKNOWN && front > layers) {
            values.problem("%d dense layers do not fit into num_hidden_layers %d", front, layers);
        }
        int everyWhich = values.size(SpecReader.MOST_LAYERS, "moe_layer_freq");
        int step = values.size(SpecReader.MOST_LAYERS, "decoder_sparse_step");
        Set<Integer> listed = listed();
        if (everyWhich == UNKNOWN || step == UNKNOWN) {
            return Set.of();
        }
        return layersWhere(
                layers,
                layer -> layer < front || layer % everyWhich != 0 || (layer + 1) % step != 0 || listed.contains(layer));
    }

    /** Qwen's list of single layers without experts. */
    private Set<Integer> listed() {
        JsonNode only = values.find("mlp_only_layers");
        if (only.isMissingNode()) {
            return Set.of();
        }
        if (!only.isArray()
                || !only.valueStream().allMatch(layer -> layer.isIntegralNumber() && layer.canConvertToInt())) {
            values.problem("mlp_only_layers is not a list of layers");
            return Set.of();
        }
        return only.valueStream().map(JsonNode::intValue).collect(Collectors.toSet());
    }

    private static Set<Integer> layersWhere(int layers, IntPredicate dense) {
        return IntStream.range(0, layers).filter(dense).boxed().collect(Collectors.toSet());
    }
}
