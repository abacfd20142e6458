package dev.sluice.domain.model;

import com.fasterxml.jackson.databind.JsonNode;
import dev.sluice.domain.model.ModelSpec.Quantization;
import dev.sluice.domain.spelling.Spelling;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Reads {@code quantization_config}. */
final class QuantizationReader {
    private static final List<String> KNOWN = List.of("awq", "compressed-tensors", "fp8", "gptq", "mxfp4");
    /** One byte, scales, and the few weights of a quantised layer that stay in bf16. */
    private static final double FP8_BYTES = 1.01;
    /** Four bits, and one byte of scale for 32 weights. */
    private static final double MXFP4_BYTES = 0.5 + 1.0 / 32;

    private static final double BF16_BYTES = 2;
    private static final int MOST_BLOCK = 1 << 16;
    private static final int MOST_BITS = 16;

    private final JsonNode node;
    private final ConfigValues values;

    private QuantizationReader(JsonNode node, List<String> problems) {
        this.node = node;
        this.values = new ConfigValues(List.of(node), node, problems);
    }

    static @Nullable Quantization read(JsonNode node, List<String> problems) {
        if (node.isMissingNode()) {
            return null;
        }
        if (!node.isObject()) {
            problems.add("quantization_config is %s; an object is needed".formatted(ConfigValues.shown(node)));
            return null;
        }
        return new QuantizationReader(node, problems).read();
    }

    private @Nullable Quantization read() {
        String method = values.text("quant_method");
        return switch (method) {
            case "fp8" -> new Quantization(method, FP8_BYTES, block(values.find("weight_block_size")));
            case "mxfp4" -> new Quantization(method, MXFP4_BYTES, 0);
            case "gptq", "awq" -> integers(method, values, "bits");
            case "compressed-tensors" -> compressed(method);
            default -> {
                if (values.has("quant_method")) {
                    values.problem(
                            "quant_method is %s%s; known are %s",
                            ConfigValues.shown(values.find("quant_method")),
                            Spelling.didYouMean(method, KNOWN),
                            String.join(", ", KNOWN));
                }
                yield null;
            }
        };
    }

    /** Of several groups of layers the first counts: it is the one that holds the experts or all linear layers. */
    private @Nullable Quantization compressed(String method) {
        JsonNode groups = node.path("config_groups");
        JsonNode weights = groups.isEmpty() ? groups : groups.iterator().next().path("weights");
        if (!weights.isObject()) {
            values.problem("quantization_config.config_groups does not say how weights are quantised");
            return null;
        }
        ConfigValues group = new ConfigValues(List.of(weights), weights, values.problems());
        if (group.find("type").asText().equals("float")
                && group.find("num_bits").asInt() == 8) {
            return new Quantization(method, FP8_BYTES, block(group.find("block_structure")));
        }
        return integers(method, group, "num_bits");
    }

    private static @Nullable Quantization integers(String method, ConfigValues values, String bitsKey) {
        int bits = values.size(MOST_BITS, bitsKey);
        // -1, or none, means one scale for a whole row.
        int group = values.find("group_size").asInt(-1);
        if (group < -1 || group == 0 || group > MOST_BLOCK) {
            values.problem(
                    "group_size is %s; the weights that share a scale are needed",
                    ConfigValues.shown(values.find("group_size")));
        }
        return new Quantization(method, bits / 8.0 + (group > 0 ? BF16_BYTES / group : 0), 0);
    }

    private int block(JsonNode size) {
        if (size.isMissingNode()) {
            return 0;
        }
        int rows = size.path(0).asInt();
        int columns = size.path(1).asInt();
        if (size.size() != 2 || rows != columns || rows < 1 || rows > MOST_BLOCK) {
            values.problem("blocks of weights that share a scale must be squares such as [128, 128]");
            return 0;
        }
        return rows;
    }
}
