package dev.sluice.domain.constraint;

import dev.sluice.domain.candidate.Candidate;
import dev.sluice.domain.constraint.Constraint.Breach;
import dev.sluice.domain.constraint.Constraint.Severity;
import dev.sluice.events.Problem;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Predicate;
import java.util.stream.Stream;

/** The catalogue of constraints. CONSTRAINTS.md beside the sources is written from it. */
public final class Constraints {
    /** Groups in the order of the catalogue: Megatron, SGLang, run, weights, checkpoints, hardware. */
    private static final String GROUPS = "MSRWCH";

    /** All constraints: groups in their order, numbers ascending. */
    public static final List<Constraint> ALL = Stream.of(
                    ParallelConstraints.ALL,
                    PipelineConstraints.ALL,
                    AttentionConstraints.ALL,
                    SequenceConstraints.ALL,
                    OptimizerConstraints.ALL,
                    RecomputeConstraints.ALL,
                    RouterConstraints.ALL,
                    DispatcherConstraints.ALL,
                    MtpConstraints.ALL,
                    ModelConstraints.ALL,
                    TrainerConstraints.ALL,
                    EngineLayoutConstraints.ALL,
                    EngineExpertConstraints.ALL,
                    SpeculationConstraints.ALL,
                    DecodingConstraints.ALL,
                    SglangFlagConstraints.ALL,
                    BlockFp8Constraints.ALL,
                    BatchConstraints.ALL,
                    AlgorithmConstraints.ALL,
                    RunConstraints.ALL,
                    PlacementConstraints.ALL,
                    WeightConstraints.ALL,
                    CheckpointConstraints.ALL,
                    MemoryConstraints.ALL,
                    HardwareConstraints.ALL)
            .flatMap(List::stream)
            .sorted(Comparator.<Constraint>comparingInt(
                            constraint -> GROUPS.indexOf(constraint.id().charAt(0)))
                    .thenComparing(Constraint::id))
            .toList();

    /** Beside Megatron's own: a batch that gives a rank nothing, and memory. */
    private static final Set<String> ALSO_OF_TRAINING = Set.of("R03", "H01", "H02");

    private static final Set<String> ALSO_OF_ENGINES = Set.of("H03", "H05", "H06");
    /** A search computes these itself, once for many constraints. */
    private static final Set<String> MEMORY_OF_TRAINING = Set.of("H01", "H02");

    private static final List<Constraint> TRAINING =
            matching(constraint -> constraint.id().startsWith("M") || ALSO_OF_TRAINING.contains(constraint.id()));
    private static final List<Constraint> TRAINING_STRUCTURE = TRAINING.stream()
            .filter(constraint -> !MEMORY_OF_TRAINING.contains(constraint.id()))
            .filter(constraint -> constraint.severity() == Severity.ERROR)
            .toList();
    private static final List<Constraint> ENGINE =
            matching(constraint -> constraint.id().startsWith("S") || ALSO_OF_ENGINES.contains(constraint.id()));
    private static final List<Constraint> ENGINE_ERRORS = ENGINE.stream()
            .filter(constraint -> constraint.severity() == Severity.ERROR)
            .toList();
    private static final List<Constraint> RUN =
            matching(constraint -> !TRAINING.contains(constraint) && !ENGINE.contains(constraint));

    private Constraints() {}

    /** All that is wrong, errors first, in the order of the catalogue. */
    public static List<Problem> broken(Candidate candidate) {
        return problems(ALL, candidate);
    }

    /** What is wrong with training. */
    public static List<Problem> ofTraining(Candidate candidate) {
        return problems(TRAINING, candidate);
    }

    /** What is wrong with the engines. */
    public static List<Problem> ofEngine(Candidate candidate) {
        return problems(ENGINE, candidate);
    }

    /** What is wrong whatever the layouts are. */
    public static List<Problem> ofRun(Candidate candidate) {
        return problems(RUN, candidate);
    }

    /** The first error of a training layout, memory apart. */
    public static Optional<Problem> firstOfTraining(Candidate candidate) {
        return first(TRAINING_STRUCTURE, candidate);
    }

    /** The first error of an engine, memory included. */
    public static Optional<Problem> firstOfEngine(Candidate candidate) {
        return first(ENGINE_ERRORS, candidate);
    }

    private static Optional<Problem> first(List<Constraint> errors, Candidate candidate) {
        for (Constraint constraint : errors) {
            Breach breach = constraint.check().look(candidate);
            if (breach != null && !breach.mild()) {
                return Optional.of(Problem.error(constraint.id(), constraint.path(), breach.message(), breach.mend()));
            }
        }
        return Optional.empty();
    }

    private static List<Problem> problems(List<Constraint> constraints, Candidate candidate) {
        return constraints.stream()
                .flatMap(constraint -> constraint.problem(candidate).stream())
                .sorted(Comparator.comparing(Problem::severity))
                .toList();
    }

    private static List<Constraint> matching(Predicate<Constraint> wanted) {
        return ALL.stream().filter(wanted).toList();
    }
}
