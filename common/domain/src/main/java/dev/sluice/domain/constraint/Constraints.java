package dev.sluice.domain.constraint;

import dev.sluice.domain.candidate.Candidate;
import dev.sluice.domain.constraint.Constraint.Severity;
import dev.sluice.events.Problem;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/** The catalogue of constraints. CONSTRAINTS.md beside the sources is written from it. */
public final class Constraints {
    /** Groups in the order of the catalogue: Megatron, SGLang, run, weights, checkpoints, hardware. */
    private static final String GROUPS = "MSRWCH";

    /** All constraints: groups in their order, numbers ascending. */
    public static final List<Constraint> ALL = Stream.of(
                    // M and R: ParallelConstraints, OptimizerConstraints, RecomputeConstraints, MoeConstraints,
                    // AttentionConstraints, MtpConstraints, RunConstraints, PlacementConstraints join here.
                    EngineLayoutConstraints.ALL,
                    EngineExpertConstraints.ALL,
                    SpeculationConstraints.ALL,
                    DecodingConstraints.ALL,
                    SglangFlagConstraints.ALL,
                    BlockFp8Constraints.ALL,
                    WeightConstraints.ALL,
                    CheckpointConstraints.ALL,
                    // H01 to H06: MemoryConstraints joins here.
                    HardwareConstraints.ALL)
            .flatMap(List::stream)
            .sorted(Comparator.<Constraint>comparingInt(
                            constraint -> GROUPS.indexOf(constraint.id().charAt(0)))
                    .thenComparing(Constraint::id))
            .toList();

    private static final List<Constraint> ERRORS = ALL.stream()
            .filter(constraint -> constraint.severity() == Severity.ERROR)
            .toList();

    private Constraints() {}

    /** All that is wrong, errors first, in the order of the catalogue. */
    public static List<Problem> broken(Candidate candidate) {
        return ALL.stream()
                .flatMap(constraint -> constraint.problem(candidate).stream())
                .sorted(Comparator.comparing(Problem::severity))
                .toList();
    }

    /** Whether no constraint is broken whose breach keeps a run from starting. */
    public static boolean valid(Candidate candidate) {
        return firstError(candidate).isEmpty();
    }

    /** The first broken constraint that keeps a run from starting. */
    public static Optional<Constraint> firstError(Candidate candidate) {
        for (Constraint constraint : ERRORS) {
            if (constraint.check().look(candidate) != null) {
                return Optional.of(constraint);
            }
        }
        return Optional.empty();
    }
}
