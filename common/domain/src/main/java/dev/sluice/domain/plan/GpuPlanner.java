package dev.sluice.domain.plan;

import dev.sluice.domain.arguments.Environments;
import dev.sluice.domain.arguments.FurtherFlags;
import dev.sluice.domain.arguments.MegatronArguments;
import dev.sluice.domain.candidate.Candidate;
import dev.sluice.domain.candidate.Cluster;
import dev.sluice.domain.candidate.Flags;
import dev.sluice.domain.candidate.Gpu;
import dev.sluice.domain.constraint.Constraints;
import dev.sluice.domain.request.HandOverRules;
import dev.sluice.domain.search.BaseCandidate;
import dev.sluice.domain.search.PoolSplits;
import dev.sluice.domain.search.Search;
import dev.sluice.domain.search.Search.Outcome;
import dev.sluice.events.Problem;
import dev.sluice.events.Problem.Severity;
import dev.sluice.events.TrainingRequest;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/** Lays a model out over GPUs: Megatron trains, SGLang samples. */
final class GpuPlanner implements Planner {

    /** What is wrong with a request for GPUs whatever its model is. */
    static List<Problem> problems(TrainingRequest request) {
        List<Problem> problems = new ArrayList<>();
        gpu(request, problems);
        problems.addAll(FurtherFlags.megatron(request.training().megatron()).problems());
        problems.addAll(FurtherFlags.sglang(request.rollout().sglang()).problems());
        return problems;
    }

    @Override
    public Planning plan(TrainingRequest request, ModelFacts models, List<Problem> warnings) {
        List<Problem> problems = new ArrayList<>(problems(request));
        Optional<Gpu> gpu = gpu(request, new ArrayList<>());
        if (gpu.isEmpty()) {
            return new Planning.Refused(problems);
        }
        Flags sglang = FurtherFlags.sglang(request.rollout().sglang()).flags();
        Flags megatron = FurtherFlags.megatron(request.training().megatron()).flags();
        List<Cluster> clusters = PoolSplits.of(request, gpu.get());
        Candidate base =
                BaseCandidate.of(request, models.policy(), clusters.getFirst(), megatron, models.longestPromptTokens());
        Outcome outcome = Search.run(base, clusters, request, sglang, models.rolloutWeightBytes());
        problems.addAll(outcome.problems());
        problems.addAll(judged(request, models, outcome));
        List<Problem> told = distinct(problems);
        if (told.stream().anyMatch(problem -> problem.severity() == Severity.ERROR)) {
            return new Planning.Refused(told);
        }
        return new Planning.Planned(new PlanOfWay(request, outcome).plan(all(warnings, told)));
    }

    /** What is wrong with the best candidate, or with one that stands for those that cannot run. */
    private static List<Problem> judged(TrainingRequest request, ModelFacts models, Outcome outcome) {
        Candidate looked = outcome.looked();
        Candidate started = models.script() == null ? looked : models.script().applied(looked);
        List<Problem> problems =
                new ArrayList<>(outcome.best() == null ? Constraints.ofRun(started) : Constraints.broken(started));
        problems.addAll(MegatronArguments.problems(looked, request.training()));
        problems.addAll(Environments.problems(looked, request.cluster().environment()));
        problems.addAll(HandOverRules.problems(request, looked.cluster().colocated()));
        if (looked.engine() != null) {
            problems.addAll(new WeightChoice(request, looked).problems());
        }
        return problems;
    }

    private static Optional<Gpu> gpu(TrainingRequest request, List<Problem> problems) {
        String label = request.cluster().gpu();
        Optional<Gpu> gpu = label == null ? Optional.empty() : Gpu.named(label);
        if (gpu.isEmpty()) {
            String found = label == null
                    ? "cluster.gpu is missing: memory and speed depend on it"
                    : "no GPU is called " + label + Gpu.didYouMean(label);
            problems.add(Problem.error(
                    "cluster.gpu", "cluster.gpu", found, "give one of " + String.join(", ", Gpu.labels())));
        }
        return gpu;
    }

    private static List<Problem> all(List<Problem> warnings, List<Problem> told) {
        List<Problem> all = new ArrayList<>(warnings);
        all.addAll(told);
        return all;
    }

    private static List<Problem> distinct(List<Problem> problems) {
        Set<Problem> distinct = new LinkedHashSet<>(problems);
        return distinct.stream().sorted(Comparator.comparing(Problem::severity)).toList();
    }
}
