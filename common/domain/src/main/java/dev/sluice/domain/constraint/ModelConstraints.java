package dev.sluice.domain.constraint;

import dev.sluice.domain.candidate.Candidate;
import dev.sluice.domain.candidate.Flags;
import dev.sluice.domain.constraint.Constraint.Breach;
import dev.sluice.domain.constraint.Constraint.Severity;
import dev.sluice.domain.model.ModelSpec;
import dev.sluice.domain.model.ModelSpec.Experts;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalDouble;
import org.jspecify.annotations.Nullable;

/** Whether Megatron is told to build the model that the checkpoint holds. */
final class ModelConstraints {
    private static final String UNTIED = "--untie-embeddings-and-output-weights";

    static final List<Constraint> ALL = List.of(new Constraint(
            "M43",
            Severity.ERROR,
            "training.megatron",
            "Megatron's sizes are the checkpoint's",
            "slime backends/megatron_utils/arguments.py _hf_validate_args",
            ModelConstraints::sizes));

    private ModelConstraints() {}

    private static @Nullable Breach sizes(Candidate candidate) {
        Flags flags = candidate.training().flags();
        ModelSpec model = candidate.model();
        List<String> differing = new ArrayList<>();
        compare(differing, flags, "--hidden-size", model.hiddenSize());
        compare(differing, flags, "--num-attention-heads", model.attention().heads());
        compare(differing, flags, "--num-layers", model.layers());
        compare(differing, flags, "--norm-epsilon", model.normEpsilon());
        compare(differing, flags, "--rotary-base", model.ropeTheta());
        Experts experts = model.experts();
        if (model.sparseLayers() < model.layers()) {
            compare(differing, flags, "--ffn-hidden-size", model.denseSize());
        }
        if (experts != null) {
            compare(differing, flags, "--moe-ffn-hidden-size", experts.size());
            compare(differing, flags, "--moe-shared-expert-intermediate-size", experts.sharedSize());
        }
        embeddings(differing, flags, model);
        return differing.isEmpty()
                ? null
                : new Breach(
                        "arguments and checkpoint differ: " + String.join("; ", differing),
                        "leave the model's sizes out: they are read from its config.json");
    }

    /** An absent flag says that embeddings are tied, where the model's sizes are given at all. */
    private static void embeddings(List<String> differing, Flags flags, ModelSpec model) {
        boolean given = flags.has(UNTIED) || flags.has("--hidden-size") || flags.has("--num-layers");
        if (given && flags.has(UNTIED) == model.tiedEmbeddings()) {
            differing.add("%s is %s, the checkpoint's embeddings are %s"
                    .formatted(
                            UNTIED,
                            flags.has(UNTIED) ? "given" : "absent",
                            model.tiedEmbeddings() ? "tied" : "not tied"));
        }
    }

    private static void compare(List<String> differing, Flags flags, String flag, double checkpoint) {
        OptionalDouble given = flags.number(flag);
        if (given.isPresent() && given.getAsDouble() != checkpoint) {
            differing.add("%s is %s, the checkpoint's %s".formatted(flag, flags.text(flag, ""), plain(checkpoint)));
        }
    }

    private static String plain(double number) {
        return number == Math.rint(number) ? Long.toString((long) number) : Double.toString(number);
    }
}
