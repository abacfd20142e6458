package dev.sluice.domain.constraint;

import dev.sluice.domain.candidate.Candidate;
import dev.sluice.domain.candidate.TrainingSide;
import dev.sluice.domain.candidate.TrainingSide.Recompute;
import dev.sluice.domain.constraint.Constraint.Breach;
import dev.sluice.domain.constraint.Constraint.Severity;
import dev.sluice.domain.spelling.Spelling;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Which activations are computed again, spread or moved to host memory. */
final class RecomputeConstraints {
    private static final String METHOD = "--recompute-method";
    private static final String LAYERS = "--recompute-num-layers";
    private static final String MODULES = "--recompute-modules";

    static final List<Constraint> ALL = List.of(
            new Constraint(
                    "M22",
                    Severity.ERROR,
                    "training.layout.recompute",
                    "full recomputation has a method and layers, selective has neither",
                    "Megatron transformer_config",
                    RecomputeConstraints::method),
            new Constraint(
                    "M23",
                    Severity.ERROR,
                    "training.megatron",
                    "selective recomputation names modules that the model has",
                    "Megatron transformer_config",
                    RecomputeConstraints::modules),
            new Constraint(
                    "M24",
                    Severity.ERROR,
                    "training.megatron",
                    "saved activations are spread with TP and full recomputation, without sequence parallelism",
                    "Megatron validate_args; transformer_config",
                    RecomputeConstraints::spread),
            new Constraint(
                    "M25",
                    Severity.ERROR,
                    "training.megatron",
                    "activations go to host memory with one stage and nothing recomputed",
                    "Megatron transformer_config",
                    RecomputeConstraints::offloaded));

    private RecomputeConstraints() {}

    private static @Nullable Breach method(Candidate candidate) {
        return switch (candidate.training().recompute()) {
            case NONE -> null;
            case SELECTIVE ->
                Given.has(candidate, METHOD) || Given.has(candidate, LAYERS)
                        ? new Breach(
                                "selective recomputation takes neither %s nor %s".formatted(METHOD, LAYERS),
                                "remove %s and %s, or set training.layout.recompute to full".formatted(METHOD, LAYERS))
                        : null;
            case FULL -> full(candidate);
        };
    }

    private static @Nullable Breach full(Candidate candidate) {
        // A request names neither: the planner then writes the uniform method over single layers.
        boolean script = Given.script(candidate);
        String method = Given.text(candidate, METHOD, script ? "none" : "uniform");
        int layers = Given.count(candidate, LAYERS, script ? 0 : 1);
        int pp = Math.max(1, candidate.training().layout().pp());
        int most = Math.ceilDiv(candidate.model().layers(), pp);
        if (List.of("uniform", "block").contains(method) && layers >= 1 && layers <= most) {
            return null;
        }
        return new Breach(
                "full recomputation needs a method, uniform or block, and 1 to %d layers; it has %s over %d"
                        .formatted(most, method, layers),
                "give %s uniform and %s 1".formatted(METHOD, LAYERS));
    }

    private static @Nullable Breach modules(Candidate candidate) {
        if (candidate.training().recompute() != Recompute.SELECTIVE) {
            return null;
        }
        List<String> known = known(candidate);
        for (String module : Given.list(candidate, MODULES)) {
            if (!known.contains(module)) {
                return new Breach(
                        "%s: %s cannot be computed again%s"
                                .formatted(MODULES, module, Spelling.didYouMean(module, known)),
                        "choose from " + String.join(", ", known));
            }
            String missing = missing(candidate, module);
            if (missing != null) {
                return new Breach(
                        "%s: %s cannot be computed again, since %s".formatted(MODULES, module, missing),
                        "remove %s from %s".formatted(module, MODULES));
            }
        }
        return null;
    }

    private static List<String> known(Candidate candidate) {
        List<String> known = new ArrayList<>(
                List.of("core_attn", "moe_act", "layernorm", "mla_up_proj", "mlp", "moe", "shared_experts"));
        if (candidate.installed().megatron().atLeast("0.19")) {
            known.add("gdn_norm_out");
        }
        return known;
    }

    private static @Nullable String missing(Candidate candidate, String module) {
        return switch (module) {
            case "moe_act" ->
                candidate.model().experts() == null
                        ? "the model has no experts"
                        : Given.script(candidate) && !Given.has(candidate, "--moe-grouped-gemm")
                                ? "experts run without --moe-grouped-gemm"
                                : null;
            case "mla_up_proj" -> candidate.model().latent() ? null : "the model has no latent attention";
            case "shared_experts" ->
                Given.has(candidate, "--moe-shared-expert-overlap")
                        ? "--moe-shared-expert-overlap runs shared experts beside the routed ones"
                        : null;
            case "gdn_norm_out" -> candidate.model().linearAttention() == null ? "no layer is linear" : null;
            default -> null;
        };
    }

    private static @Nullable Breach spread(Candidate candidate) {
        TrainingSide training = candidate.training();
        if (!Given.has(candidate, "--distribute-saved-activations")) {
            return null;
        }
        String why = training.layout().tp() <= 1
                ? "TP is %d".formatted(training.layout().tp())
                : training.recompute() != Recompute.FULL
                        ? "recomputation is not full"
                        : training.sequenceParallel() ? "sequence parallelism spreads them already" : null;
        return why == null
                ? null
                : new Breach(
                        "--distribute-saved-activations is not possible: " + why,
                        "remove --distribute-saved-activations");
    }

    private static @Nullable Breach offloaded(Candidate candidate) {
        int layers = Given.count(candidate, "--cpu-offloading-num-layers", 0);
        TrainingSide training = candidate.training();
        if (layers < 1) {
            return null;
        }
        String why = training.layout().pp() > 1
                ? "with PP %d".formatted(training.layout().pp())
                : training.recompute() != Recompute.NONE ? "while activations are recomputed" : null;
        return why == null
                ? null
                : new Breach(
                        "activations of %d layers cannot go to host memory %s".formatted(layers, why),
                        "remove --cpu-offloading-num-layers");
    }
}
