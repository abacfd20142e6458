package dev.sluice.checkpoint;

import com.fasterxml.jackson.databind.JsonNode;
import dev.sluice.checkpoint.MegatronTensor.Part;
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
        List<String> missing = new ArrayList<>();
        List<String> misshapen = new ArrayList<>();
        List<String> mistyped = new ArrayList<>();
        for (Part part : parts(plan)) {
            TensorEntry tensor = tensors.get(part.name());
            if (tensor == null) {
                missing.add(part.name());
            } else if (!tensor.shape().equals(part.shape())) {
                misshapen.add("%s is %s, not %s".formatted(part.name(), tensor.shape(), part.shape()));
            } else if (!FLOATS.contains(tensor.dtype())) {
                mistyped.add(part.name() + " is " + tensor.dtype());
            }
        }
        List<String> problems = new ArrayList<>();
        report(
                problems,
                "%d tensors that config.json calls for are missing: %s; download the checkpoint again",
                missing);
        report(
                problems,
                "%d tensors have another shape than config.json says: %s; config.json belongs to another model",
                misshapen);
        report(problems, "%d tensors are not BF16, F16 or F32: %s; use the unquantised checkpoint", mistyped);
        return problems;
    }

    /** A checkpoint may leave the whole multi-token-prediction layer out. */
    static boolean hasNextTokenLayer(ModelConfig config, Map<String, ?> byName) {
        String prefix = ModelPlan.nextTokenPrefix(config, 0);
        return config.nextTokenLayers() > 0 && byName.keySet().stream().anyMatch(name -> name.startsWith(prefix));
    }

    private static List<Part> parts(ModelPlan plan) {
        Set<String> seen = new TreeSet<>();
        return plan.tensors().stream()
                .flatMap(tensor -> tensor.parts().stream())
                .filter(part -> seen.add(part.name()))
                .toList();
    }

    private static void report(List<String> problems, String message, List<String> found) {
        if (!found.isEmpty()) {
            String some = String.join(", ", found.subList(0, Math.min(NAMES_SHOWN, found.size())));
            problems.add(message.formatted(found.size(), found.size() > NAMES_SHOWN ? some + ", ..." : some));
        }
    }
}
