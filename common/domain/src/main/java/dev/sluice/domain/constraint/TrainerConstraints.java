package dev.sluice.domain.constraint;

import dev.sluice.domain.candidate.Candidate;
import dev.sluice.domain.candidate.TrainingSide.Layout;
import dev.sluice.domain.constraint.Constraint.Breach;
import dev.sluice.domain.constraint.Constraint.Severity;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** How the trainer's processes are started: environment, loss kernel, checkpoints, determinism. */
final class TrainerConstraints {
    private static final int BLACKWELL = 100;
    private static final String CONNECTIONS = "CUDA_DEVICE_MAX_CONNECTIONS";
    private static final Set<String> ALGORITHMS = Set.of("Ring", "CollnetDirect", "CollnetChain", "^NVLS");

    static final List<Constraint> ALL = List.of(
            new Constraint(
                    "M16",
                    Severity.ERROR,
                    "cluster.environment",
                    "TP or CP above 1 before Blackwell needs CUDA_DEVICE_MAX_CONNECTIONS=1",
                    "Megatron arguments.py validate_args",
                    TrainerConstraints::connections),
            new Constraint(
                    "M38",
                    Severity.ERROR,
                    "training.megatron",
                    "a fused cross entropy is Megatron's own",
                    "Megatron validate_args",
                    TrainerConstraints::crossEntropy),
            new Constraint(
                    "M39",
                    Severity.ERROR,
                    "training.megatron",
                    "a place to save to and an interval come together",
                    "Megatron validate_args; slime arguments.py slime_validate_args",
                    TrainerConstraints::saving),
            new Constraint(
                    "M44",
                    Severity.ERROR,
                    "cluster.environment",
                    "deterministic training has deterministic collectives, attention, products and loss",
                    "Megatron determinism.py; slime scripts/run-qwen2.5-0.5B-reproducibility.sh",
                    TrainerConstraints::deterministic));

    private TrainerConstraints() {}

    private static @Nullable Breach connections(Candidate candidate) {
        Layout layout = candidate.training().layout();
        if (layout.tp() <= 1 && layout.cp() <= 1
                || candidate.cluster().gpu().computeCapability() >= BLACKWELL
                || onlyWarned(candidate)) {
            return null;
        }
        // What no script says, the planner writes.
        Map<String, String> environment = Given.environment(candidate);
        if (environment == null || "1".equals(environment.get(CONNECTIONS))) {
            return null;
        }
        String value = environment.get(CONNECTIONS);
        return new Breach(
                "TP %d and CP %d on %s need %s=1, but the trainer's environment %s"
                        .formatted(
                                layout.tp(),
                                layout.cp(),
                                candidate.cluster().gpu().label(),
                                CONNECTIONS,
                                value == null ? "does not set it" : "sets it to " + value),
                "set %s=1 for every process of the trainer".formatted(CONNECTIONS));
    }

    /** Where Megatron only advises the variable, since something else wants it larger. */
    private static boolean onlyWarned(Candidate candidate) {
        return Given.has(candidate, "--use-torch-fsdp2")
                || Given.has(candidate, "--use-megatron-fsdp")
                || Given.has(candidate, "--overlap-moe-expert-parallel-comm");
    }

    private static @Nullable Breach crossEntropy(Candidate candidate) {
        if (!Given.has(candidate, "--cross-entropy-loss-fusion")
                || !Given.text(candidate, "--cross-entropy-fusion-impl", "native")
                        .equals("te")) {
            return null;
        }
        return new Breach(
                "the cross entropy is fused by Transformer Engine, which Megatron switched off as unstable",
                "set --cross-entropy-fusion-impl to native");
    }

    private static @Nullable Breach saving(Candidate candidate) {
        boolean place = Given.has(candidate, "--save");
        boolean interval = Given.has(candidate, "--save-interval");
        if (!place && !interval) {
            return null;
        }
        if (place && interval) {
            return Given.count(candidate, "--save-interval", 0) > 0
                    ? null
                    : new Breach(
                            "--save-interval %s is no number above 0"
                                    .formatted(Given.text(candidate, "--save-interval", "without a value")),
                            "set --save-interval to at least 1");
        }
        return new Breach(
                place ? "--save is given without --save-interval" : "--save-interval is given without --save",
                "give --save and --save-interval together");
    }

    private static @Nullable Breach deterministic(Candidate candidate) {
        if (!Given.has(candidate, "--deterministic-mode")) {
            return null;
        }
        if (Given.has(candidate, "--cross-entropy-loss-fusion")) {
            return new Breach(
                    "--deterministic-mode with --cross-entropy-loss-fusion: the fused cross entropy is not deterministic",
                    "remove --cross-entropy-loss-fusion");
        }
        Map<String, String> environment = Given.environment(candidate);
        if (environment == null) {
            return null;
        }
        // From 0.19 on Megatron sets what is not set.
        boolean defaulted = candidate.installed().megatron().atLeast("0.19");
        List<String> wrong = new ArrayList<>();
        check(wrong, environment, "NCCL_ALGO", "Ring", defaulted);
        check(wrong, environment, "NVTE_ALLOW_NONDETERMINISTIC_ALGO", "0", defaulted);
        check(wrong, environment, "CUBLAS_WORKSPACE_CONFIG", ":4096:8", defaulted);
        return wrong.isEmpty()
                ? null
                : new Breach(
                        "--deterministic-mode, but the trainer's environment is not deterministic: "
                                + String.join(", ", wrong),
                        "set NCCL_ALGO=Ring, NVTE_ALLOW_NONDETERMINISTIC_ALGO=0 and CUBLAS_WORKSPACE_CONFIG=:4096:8");
    }

    private static void check(
            List<String> wrong, Map<String, String> environment, String name, String safe, boolean defaulted) {
        String value = environment.get(name);
        if (value == null) {
            if (!defaulted) {
                wrong.add(name + " is not set");
            }
            return;
        }
        boolean fine = switch (name) {
            case "NCCL_ALGO" -> ALGORITHMS.containsAll(Arrays.asList(value.split(" *, *")));
            case "CUBLAS_WORKSPACE_CONFIG" -> value.equals(safe) || value.equals(":16:8");
            default -> value.equals(safe);
        };
        if (!fine) {
            wrong.add(name + "=" + value);
        }
    }
}
