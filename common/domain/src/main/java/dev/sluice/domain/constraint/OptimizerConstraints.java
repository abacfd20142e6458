package dev.sluice.domain.constraint;

import dev.sluice.domain.candidate.Candidate;
import dev.sluice.domain.candidate.TrainingSide.Optimizer;
import dev.sluice.domain.constraint.Constraint.Breach;
import dev.sluice.domain.constraint.Constraint.Severity;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Where the optimizer's state lies and in what precision. */
final class OptimizerConstraints {
    private static final List<String> DTYPES =
            List.of("--main-grads-dtype", "--main-params-dtype", "--exp-avg-dtype", "--exp-avg-sq-dtype");

    static final List<Constraint> ALL = List.of(
            new Constraint(
                    "M17",
                    Severity.ERROR,
                    "training.layout.precisionAware",
                    "Adam in host memory is precision-aware",
                    "Megatron arguments.py validate_args",
                    OptimizerConstraints::offloaded),
            new Constraint(
                    "M18",
                    Severity.ERROR,
                    "training.megatron",
                    "a precision-aware optimizer is Adam, distributed",
                    "Megatron optimizer_config",
                    OptimizerConstraints::adam),
            new Constraint(
                    "M19",
                    Severity.ERROR,
                    "training.megatron",
                    "optimizer state below fp32 needs the precision-aware optimizer",
                    "Megatron optimizer_config",
                    OptimizerConstraints::precision),
            new Constraint(
                    "M20",
                    Severity.ERROR,
                    "training.megatron",
                    "gathering fp8 parameters with Adam in host memory needs delayed scaling",
                    "Megatron validate_args; slime docs low-precision.md",
                    OptimizerConstraints::fp8Gather),
            new Constraint(
                    "M21",
                    Severity.ERROR,
                    "training.megatron",
                    "overlapped parameter gathering needs the distributed optimizer and overlapped gradients",
                    "Megatron validate_args",
                    OptimizerConstraints::overlap));

    private OptimizerConstraints() {}

    private static @Nullable Breach offloaded(Candidate candidate) {
        Optimizer optimizer = candidate.training().optimizer();
        if (optimizer.offloadFraction() <= 0 || optimizer.precisionAware()) {
            return null;
        }
        return new Breach(
                "%.0f %% of Adam's state lies in host memory, which only the precision-aware optimizer can do"
                        .formatted(100 * optimizer.offloadFraction()),
                "set training.layout.precisionAware to true (--use-precision-aware-optimizer)");
    }

    private static @Nullable Breach adam(Candidate candidate) {
        // Adam in host memory that is not precision-aware is told by M17.
        if (!candidate.training().optimizer().precisionAware()) {
            return null;
        }
        String name = Given.text(candidate, "--optimizer", "adam");
        if (!name.equals("adam")) {
            return new Breach(
                    "the precision-aware optimizer is Adam, but --optimizer is %s".formatted(name),
                    "set --optimizer to adam, or training.layout.precisionAware and cpuAdam off");
        }
        if (Given.has(candidate, "--use-torch-fsdp2")) {
            return new Breach(
                    "the precision-aware optimizer must be distributed, which --use-torch-fsdp2 excludes",
                    "remove --use-torch-fsdp2");
        }
        return null;
    }

    private static @Nullable Breach precision(Candidate candidate) {
        if (candidate.training().optimizer().precisionAware()) {
            return null;
        }
        List<String> low = DTYPES.stream()
                .filter(flag -> !Given.text(candidate, flag, "fp32").equals("fp32"))
                .map(flag -> flag + " " + Given.text(candidate, flag, "fp32"))
                .toList();
        return low.isEmpty()
                ? null
                : new Breach(
                        "%s: below fp32 only the precision-aware optimizer keeps state"
                                .formatted(String.join(", ", low)),
                        "set training.layout.precisionAware to true, or leave the dtypes at fp32");
    }

    private static @Nullable Breach fp8Gather(Candidate candidate) {
        String recipe = Given.text(candidate, "--fp8-recipe", "delayed");
        if (candidate.training().optimizer().offloadFraction() <= 0
                || !Given.has(candidate, "--fp8-param-gather")
                || recipe.equals("delayed")) {
            return null;
        }
        return new Breach(
                "--fp8-param-gather with Adam in host memory works with delayed scaling only, not with --fp8-recipe %s"
                        .formatted(recipe),
                "remove --fp8-param-gather, or set training.layout.cpuAdam to 0");
    }

    private static @Nullable Breach overlap(Candidate candidate) {
        if (!Given.has(candidate, "--overlap-param-gather")) {
            return null;
        }
        if (!Given.has(candidate, "--overlap-grad-reduce")) {
            return new Breach(
                    "--overlap-param-gather works only together with --overlap-grad-reduce",
                    "add --overlap-grad-reduce, or remove --overlap-param-gather");
        }
        return Given.has(candidate, "--use-torch-fsdp2")
                ? new Breach(
                        "--overlap-param-gather needs the distributed optimizer, which --use-torch-fsdp2 excludes",
                        "remove --overlap-param-gather or --use-torch-fsdp2")
                : null;
    }
}
