package dev.sluice.domain.model;

import com.fasterxml.jackson.databind.JsonNode;
import dev.sluice.domain.model.ModelFamily.Trait;
import dev.sluice.domain.model.ModelSpec.Attention;
import dev.sluice.domain.model.ModelSpec.GroupedQueryAttention;
import dev.sluice.domain.model.ModelSpec.Indexer;
import dev.sluice.domain.model.ModelSpec.LatentAttention;
import dev.sluice.domain.model.ModelSpec.LinearAttention;
import dev.sluice.domain.model.ModelSpec.QueryKeyNorm;

/** Reads every kind of attention. */
record AttentionReader(ConfigValues values, ModelFamily family) {
    private static final int MOST_HEADS = 1 << 12;
    private static final int MOST_HEAD_SIZE = 1 << 12;
    private static final int MOST_TOP_TOKENS = 1 << 25;
    private static final int USUAL_TOP_TOKENS = 2048;
    private static final int MOST_RANK = 1 << 16;
    private static final int MOST_CONVOLUTION = 1 << 8;

    Attention attention(int hidden) {
        return family.has(Trait.LATENT) ? latent() : grouped(hidden);
    }

    private LatentAttention latent() {
        return new LatentAttention(
                values.size(MOST_HEADS, "num_attention_heads"),
                queryRank(),
                values.size(MOST_RANK, "kv_lora_rank"),
                values.size(MOST_HEAD_SIZE, "qk_nope_head_dim"),
                values.size(MOST_HEAD_SIZE, "qk_rope_head_dim"),
                values.size(MOST_HEAD_SIZE, "v_head_dim"),
                values.flag("attention_bias"));
    }

    /** A query without bottleneck has a rank of null; a rank that is not there was forgotten. */
    private int queryRank() {
        return saidToBeNone() ? 0 : values.count(MOST_RANK, "q_lora_rank");
    }

    private boolean saidToBeNone() {
        return values.config().stream()
                .map(source -> source.path("q_lora_rank"))
                .anyMatch(rank -> rank.isNull() || rank.isInt() && rank.intValue() == 0);
    }

    private GroupedQueryAttention grouped(int hidden) {
        int heads = values.size(MOST_HEADS, "num_attention_heads");
        int groups = values.has("num_key_value_heads") ? values.size(MOST_HEADS, "num_key_value_heads") : heads;
        if (known(heads, groups) && heads % groups != 0) {
            values.problem("num_attention_heads %d is not a multiple of num_key_value_heads %d", heads, groups);
        }
        boolean bias = values.flag("attention_bias");
        return new GroupedQueryAttention(
                heads,
                groups,
                headSize(hidden, heads),
                bias,
                values.flag("use_qk_norm") ? family.norm() : QueryKeyNorm.NONE,
                values.flag("attn_output_gate"),
                bias && family.has(Trait.OUTPUT_BIAS),
                family.has(Trait.SINKS));
    }

    private int headSize(int hidden, int heads) {
        if (!values.find("head_dim").isMissingNode()) {
            return values.size(MOST_HEAD_SIZE, "head_dim");
        }
        if (!known(hidden, heads)) {
            return ConfigValues.UNKNOWN;
        }
        if (hidden % heads != 0 || hidden / heads > MOST_HEAD_SIZE) {
            values.problem(
                    "head_dim is missing, and hidden_size %d over num_attention_heads %d gives none", hidden, heads);
        }
        return hidden / heads;
    }

    LinearAttention linear(int layers) {
        int keyHeads = values.size(MOST_HEADS, "linear_num_key_heads");
        int valueHeads = values.size(MOST_HEADS, "linear_num_value_heads");
        if (known(keyHeads, valueHeads) && valueHeads % keyHeads != 0) {
            values.problem(
                    "linear_num_value_heads %d is not a multiple of linear_num_key_heads %d", valueHeads, keyHeads);
        }
        return new LinearAttention(
                keyHeads,
                valueHeads,
                values.size(MOST_HEAD_SIZE, "linear_key_head_dim"),
                values.size(MOST_HEAD_SIZE, "linear_value_head_dim"),
                values.size(MOST_CONVOLUTION, "linear_conv_kernel_dim"),
                interval(layers));
    }

    /** Every which layer has full attention: transformers 5 names each layer's kind. */
    private int interval(int layers) {
        JsonNode kinds = values.find("layer_types");
        if (kinds.isMissingNode()) {
            return values.size(SpecReader.MOST_LAYERS, "full_attention_interval");
        }
        int interval = 1;
        while (interval < kinds.size() && !full(kinds, interval - 1)) {
            interval++;
        }
        boolean regular = kinds.isArray() && kinds.size() <= SpecReader.MOST_LAYERS;
        for (int layer = 0; regular && layer < kinds.size(); layer++) {
            boolean full = (layer + 1) % interval == 0;
            regular = kinds.path(layer).asText().equals(full ? "full_attention" : "linear_attention");
        }
        if (!regular) {
            values.problem("layer_types does not repeat linear_attention with full_attention at an even interval");
        } else if (known(layers, layers) && kinds.size() != layers) {
            values.problem("layer_types names %d layers but num_hidden_layers is %d", kinds.size(), layers);
        }
        return interval;
    }

    private static boolean full(JsonNode kinds, int layer) {
        return kinds.path(layer).asText().equals("full_attention");
    }

    Indexer indexer() {
        if (saidToBeNone()) {
            values.problem("q_lora_rank is absent on purpose, but the indexer reads the query's bottleneck");
        }
        return new Indexer(
                values.size(MOST_HEADS, "index_n_heads"),
                values.size(MOST_HEAD_SIZE, "index_head_dim"),
                values.has("index_topk") ? values.size(MOST_TOP_TOKENS, "index_topk") : USUAL_TOP_TOKENS,
                sharing("index_topk_freq"),
                sharing("index_skip_topk_offset"));
    }

    /** Where nothing is said each layer computes its own index. */
    private int sharing(String key) {
        return values.has(key) ? values.size(SpecReader.MOST_LAYERS, key) : 1;
    }

    private static boolean known(int one, int other) {
        return one != ConfigValues.UNKNOWN && other != ConfigValues.UNKNOWN;
    }
}
