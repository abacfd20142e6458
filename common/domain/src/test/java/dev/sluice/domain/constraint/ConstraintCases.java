package dev.sluice.domain.constraint;

import java.util.List;
import java.util.stream.Stream;

/** Every case of every constraint. A constraint that is added needs one that keeps it and one that breaks it. */
final class ConstraintCases {
    static final List<RuleCase> ALL = Stream.of(
                    LayoutCases.SIZES,
                    LayoutCases.STAGES,
                    LayoutCases.SEQUENCES,
                    LayoutCases.ATTENTION,
                    TrainerCases.OPTIMIZER,
                    TrainerCases.RECOMPUTE,
                    TrainerCases.EXPERTS,
                    TrainerCases.START,
                    EngineCases.LAYOUT,
                    EngineCases.EXPERTS,
                    EngineCases.SPECULATION,
                    SglangCases.DECODING,
                    SglangCases.FLAGS,
                    RunCases.BATCHES,
                    RunCases.ALGORITHM,
                    RunCases.PLACEMENT,
                    CheckpointCases.WEIGHTS,
                    CheckpointCases.CHECKPOINTS,
                    HardwareCases.MEMORY,
                    HardwareCases.MACHINES)
            .flatMap(List::stream)
            .toList();

    private ConstraintCases() {}

    static Stream<RuleCase> kept() {
        return ALL.stream().filter(rule -> !rule.broken());
    }

    static Stream<RuleCase> broken() {
        return ALL.stream().filter(RuleCase::broken);
    }

    /** The constraint of this id. */
    static Constraint constraint(String id) {
        return Constraints.ALL.stream()
                .filter(constraint -> constraint.id().equals(id))
                .findFirst()
                .orElseThrow();
    }
}
