package dev.sluice.domain.search;

import dev.sluice.domain.candidate.Candidate;
import dev.sluice.domain.candidate.Cluster;
import dev.sluice.domain.candidate.EngineSide;
import dev.sluice.domain.candidate.Flags;
import dev.sluice.domain.constraint.Constraints;
import dev.sluice.domain.cost.StepTime;
import dev.sluice.domain.memory.LayerSums;
import dev.sluice.events.Plan.Rejection;
import dev.sluice.events.Problem;
import dev.sluice.events.Rollout.SpeculationAlgorithm;
import dev.sluice.events.TrainingRequest;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Searches layouts of training and rollout. The two are independent once the pools are split, so the best way is the best
 * of each; a layout that a request gives whole is judged by the same code.
 */
public final class Search {
    /** Steps this close are ties: the predictions are no better. */
    private static final double TIE = 1.10;

    /** Training that lasts longer than this is not taken, even where the step as a whole is a tie. */
    private static final double TRAINING_TIE = 1.25;

    private static final double ENGINE_TIE = 1.05;
    private static final int ALTERNATIVES = 4;
    private static final Set<String> MEMORY = Set.of("H01", "H02");

    /**
     * What a search came to.
     *
     * @param best absent where nothing can run; {@code problems} then say why
     * @param others the next best layouts of training on the same pools, fastest first
     * @param pools the best ways with other pools, fastest first; empty unless placement is auto
     * @param rejections families of layouts that cannot run
     * @param problems errors where nothing can run, never empty then
     * @param looked the best candidate, or where nothing can run the one that problems are about
     */
    public record Outcome(
            @Nullable Way best,
            List<SizedTraining> others,
            List<SizedEngine> otherEngines,
            List<Way> pools,
            List<Rejection> rejections,
            List<Problem> problems,
            Candidate looked) {}

    private final TrainingRequest request;
    private final Flags engineFlags;
    private final double weightBytes;
    private final LayerSums sums;
    private final Map<Integer, TrainingSearch.Found> trainings = new HashMap<>();

    private Search(Candidate base, TrainingRequest request, Flags engineFlags, double weightBytes) {
        this.request = request;
        this.engineFlags = engineFlags;
        this.weightBytes = weightBytes;
        sums = LayerSums.of(base.model());
    }

    /**
     * @param base everything but layouts; its engine is absent
     * @param clusters ways to split the pools, never empty
     * @param engineFlags SGLang's further flags
     * @param weightBytes bytes of a weight that engines sample with
     */
    public static Outcome run(
            Candidate base, List<Cluster> clusters, TrainingRequest request, Flags engineFlags, double weightBytes) {
        Search search = new Search(base, request, engineFlags, weightBytes);
        List<Outcome> outcomes =
                clusters.stream().map(cluster -> search.on(base.with(cluster))).toList();
        List<Outcome> feasible = outcomes.stream()
                .filter(outcome -> outcome.best() != null)
                .sorted(Comparator.comparingDouble(Search::seconds))
                .toList();
        if (feasible.isEmpty()) {
            return outcomes.getFirst();
        }
        Outcome best = feasible.getFirst();
        List<Way> pools = feasible.stream().skip(1).map(Outcome::best).toList();
        return new Outcome(
                best.best(),
                best.others(),
                best.otherEngines(),
                pools,
                best.rejections(),
                best.problems(),
                best.looked());
    }

    private static double seconds(Outcome outcome) {
        return outcome.best() == null ? Double.MAX_VALUE : outcome.best().time().seconds();
    }

    private Outcome on(Candidate base) {
        TrainingSearch.Found training = trainings.computeIfAbsent(
                base.cluster().trainGpus(), gpus -> TrainingSearch.run(base, sums, request.training()));
        if (!base.workload().rollout()) {
            return training.sized().isEmpty() ? failed(base, training, null, null) : succeeded(base, training, null);
        }
        EngineOptions options = new EngineOptions(base, request.rollout(), engineFlags, weightBytes);
        EngineSearch.Found engines = EngineSearch.run(
                trained(base, training),
                options,
                request.rollout().speculation().acceptance(),
                request.rollout().speculation().algorithm() == SpeculationAlgorithm.AUTO);
        if (training.sized().isEmpty() || engines.sized().isEmpty()) {
            return failed(base, training, engines, options);
        }
        return succeeded(base, training, engines);
    }

    /** Engines are judged beside a training layout that works, so that only their own mistakes are told. */
    private static Candidate trained(Candidate base, TrainingSearch.Found training) {
        return training.sized().isEmpty()
                ? base
                : base.with(training.sized().getFirst().side());
    }

    private Outcome succeeded(Candidate base, TrainingSearch.Found trainings, EngineSearch.@Nullable Found engines) {
        double fastestTraining = trainings.sized().stream()
                .mapToDouble(sized -> sized.time().seconds())
                .min()
                .orElseThrow();
        SizedEngine engine = engines == null ? null : engine(base, engines, fastestTraining);
        double rollout = engine == null ? 0 : engine.time().seconds();
        double fastest = time(base, rollout, fastestTraining).seconds();
        SizedTraining training = trainings.sized().stream()
                .filter(sized -> time(base, rollout, sized.time().seconds()).seconds() <= TIE * fastest)
                .filter(sized -> sized.time().seconds() <= TRAINING_TIE * fastestTraining)
                .min(SizedTraining.PREFERENCE)
                .orElseThrow();
        StepTime time = time(base, rollout, training.time().seconds());
        EngineSide side = engine == null ? null : engine.engine();
        Candidate candidate =
                new Candidate(base.model(), base.cluster(), base.installed(), base.workload(), training.side(), side);
        return new Outcome(
                new Way(candidate, training, engine, time),
                others(trainings.sized(), training),
                engines == null || engine == null ? List.of() : otherEngines(engines.sized(), engine),
                List.of(),
                rejections(trainings, engines),
                List.of(),
                candidate);
    }

    private SizedEngine engine(Candidate base, EngineSearch.Found engines, double training) {
        double fastest = engines.sized().stream()
                .mapToDouble(
                        sized -> time(base, sized.time().seconds(), training).seconds())
                .min()
                .orElseThrow();
        return engines.sized().stream()
                .filter(sized -> time(base, sized.time().seconds(), training).seconds() <= ENGINE_TIE * fastest)
                .min(SizedEngine.PREFERENCE)
                .orElseThrow();
    }

    private StepTime time(Candidate base, double rollout, double training) {
        return StepTime.of(base, rollout, training, sums);
    }

    /** The fastest of each other parallel layout. */
    private static List<SizedTraining> others(List<SizedTraining> sized, SizedTraining chosen) {
        Set<Object> seen = new HashSet<>(Set.of(chosen.layout()));
        return sized.stream()
                .sorted(Comparator.comparingDouble(
                                (SizedTraining one) -> one.time().seconds())
                        .thenComparing(SizedTraining.PREFERENCE))
                .filter(one -> seen.add(one.layout()))
                .limit(ALTERNATIVES)
                .toList();
    }

    private static List<SizedEngine> otherEngines(List<SizedEngine> sized, SizedEngine chosen) {
        Set<String> seen = new HashSet<>(Set.of(chosen.toString()));
        return sized.stream()
                .sorted(Comparator.comparingDouble(one -> one.time().seconds()))
                .filter(one -> seen.add(one.toString()))
                .limit(ALTERNATIVES)
                .toList();
    }

    private static List<Rejection> rejections(TrainingSearch.Found training, EngineSearch.@Nullable Found engines) {
        return Stream.concat(
                        training.rejected().told().stream(),
                        engines == null ? Stream.empty() : engines.rejected().told().stream())
                .toList();
    }

    private Outcome failed(
            Candidate base,
            TrainingSearch.Found training,
            EngineSearch.@Nullable Found engines,
            @Nullable EngineOptions options) {
        Set<Problem> problems = new LinkedHashSet<>();
        if (training.sized().isEmpty()) {
            problems.addAll(trainingProblems(base, training));
        }
        if (engines != null && options != null && engines.sized().isEmpty()) {
            problems.addAll(
                    options.fixed()
                            ? Constraints.ofEngine(trained(base, training).with(engines.first()))
                            : engines.rejected().problems());
        }
        Candidate looked = looked(base, training);
        return new Outcome(
                null,
                List.of(),
                List.of(),
                List.of(),
                rejections(training, engines),
                new ArrayList<>(problems),
                engines == null ? looked : looked.with(engines.first()));
    }

    /** Some way to train: the first that fits, the nearest to fit, or the first of all. */
    private Candidate looked(Candidate base, TrainingSearch.Found training) {
        if (!training.sized().isEmpty()) {
            return trained(base, training);
        }
        TrainingOptions options = new TrainingOptions(base, request.training());
        return training.nearest().orElseGet(() -> base.with(options.first(base.training())));
    }

    private List<Problem> trainingProblems(Candidate base, TrainingSearch.Found training) {
        TrainingOptions options = new TrainingOptions(base, request.training());
        if (options.fixed() && training.nearest().isEmpty()) {
            return Constraints.ofTraining(looked(base, training));
        }
        // Everything is right but the memory: tell the nearest layout's mends.
        List<Problem> problems = training.nearest()
                .map(Constraints::ofTraining)
                .filter(found -> !found.isEmpty())
                .orElseGet(() -> training.rejected().problems());
        return options.fixed() ? problems : withNodes(base, problems);
    }

    /** Says beside each problem of memory how many nodes would do, with whatever layout is best there. */
    private List<Problem> withNodes(Candidate base, List<Problem> problems) {
        Optional<SizedTraining> enough = MoreNodes.of(base, sums, request.training());
        if (enough.isEmpty()) {
            return problems;
        }
        String nodes = "or use %d training nodes (cluster.trainNodes; %s fits there)"
                .formatted(
                        enough.get().candidate().cluster().trainNodes(),
                        enough.get().layout());
        return problems.stream()
                .map(problem -> MEMORY.contains(problem.rule())
                        ? Problem.error(
                                problem.rule(), problem.path(), problem.message(), problem.mend() + "; " + nodes)
                        : problem)
                .toList();
    }
}
