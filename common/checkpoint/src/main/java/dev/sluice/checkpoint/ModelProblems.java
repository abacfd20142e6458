package dev.sluice.checkpoint;

import com.fasterxml.jackson.databind.JsonNode;
import dev.sluice.checkpoint.MegatronTensor.Box;
import dev.sluice.checkpoint.MegatronTensor.Cut;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/** Compares a checkpoint's tensors with those that its configuration calls for. */
final class ModelProblems {
    private static final int NAMES_SHOWN = 5;
    private static final Set<DType> FLOATS = EnumSet.of(DType.BF16, DType.F16, DType.F32);

    private ModelProblems() {}

    static List<String> of(JsonNode json, Map<String, TensorEntry> tensors) {
        ModelConfig config = new ModelConfig(json);
        ModelPlan plan = ModelPlan.of(config, Naming.TRANSFORMER_ENGINE, hasNextTokenLayer(config, tensors));
        config.dtype();
        BlockScales scales = BlockScales.of(json, tensors);
        List<String> missing = new ArrayList<>();
        List<String> misshapen = new ArrayList<>();
        List<String> mistyped = new ArrayList<>();
        for (Cut cut : cuts(plan)) {
            TensorEntry tensor = tensors.get(cut.name());
            if (tensor == null) {
                missing.add(cut.name());
            } else if (!tensor.shape().equals(cut.shape())) {
                misshapen.add("%s is %s, not %s".formatted(cut.name(), tensor.shape(), cut.shape()));
            } else if (scales.has(cut.name())) {
                scales.problem(cut.name()).ifPresent(misshapen::add);
            } else if (!FLOATS.contains(tensor.dtype())) {
                mistyped.add(cut.name() + " is " + tensor.dtype());
            }
        }
        List<String> problems = new ArrayList<>(unmapped(config));
        report(
                problems,
                "%d tensors that config.json calls for are missing: %s; download the checkpoint again",
                missing);
        report(
                problems,
                "%d tensors have another shape than config.json says: %s; config.json belongs to another model",
                misshapen);
        report(
                problems,
                "%d tensors are neither BF16, F16 or F32 nor F8_E4M3 with scales of blocks: %s; use the unquantised checkpoint",
                mistyped);
        return problems;
    }

    /** A checkpoint may leave the whole multi-token-prediction layer out. */
    static boolean hasNextTokenLayer(ModelConfig config, Map<String, ?> byName) {
        if (config.nextTokenLayers() == 0) {
            return false;
        }
        String prefix = ModelPlan.nextTokenPrefix(config, 0);
        return byName.keySet().stream().anyMatch(name -> name.startsWith(prefix));
    }

    /** Settings that give the model tensors which its family's name map lacks: they would be lost. */
    static List<String> unmapped(ModelConfig config) {
        List<String> problems = new ArrayList<>();
        JsonNode quantised = config.json().path("quantization_config").path("quant_method");
        if (quantised.isTextual() && !quantised.asText().equals("fp8")) {
            problems.add(
                    "config.json: quant_method is %s; only fp8 with scales of blocks is read, use the unquantised checkpoint"
                            .formatted(quantised));
        }
        config.names().requires().forEach((key, value) -> {
            JsonNode found = config.json().path(key);
            if (!found.isMissingNode() && !found.isNull() && !found.equals(value)) {
                problems.add(
                        "config.json: %s is %s, but the names of such tensors are not known for %s; only %s is supported"
                                .formatted(key, found, config.family(), value));
            }
        });
        return problems;
    }

    private static List<Cut> cuts(ModelPlan plan) {
        Set<String> seen = new TreeSet<>();
        return plan.tensors().stream()
                .flatMap(tensor -> tensor.boxes().stream())
                .map(Box::cut)
                .filter(cut -> seen.add(cut.name()))
                .toList();
    }

    private static void report(List<String> problems, String message, List<String> found) {
        if (!found.isEmpty()) {
            String some = String.join(", ", found.subList(0, Math.min(NAMES_SHOWN, found.size())));
            problems.add(message.formatted(found.size(), found.size() > NAMES_SHOWN ? some + ", ..." : some));
        }
    }
}
