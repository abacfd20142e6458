package dev.sluice.domain.constraint;

import dev.sluice.domain.candidate.Candidate;
import dev.sluice.domain.candidate.Cluster;
import dev.sluice.domain.candidate.EngineSide;
import dev.sluice.domain.candidate.Workload;
import dev.sluice.domain.constraint.Constraint.Breach;
import dev.sluice.domain.constraint.Constraint.Severity;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Which GPUs train, which sample, and how many samples run at once. */
final class PlacementConstraints {
    private static final String CONCURRENCY = "--sglang-server-concurrency";

    /** Requests that slime keeps open to an engine where a script says nothing. */
    private static final int SLIME_CONCURRENCY = 512;

    static final List<Constraint> ALL = List.of(
            new Constraint(
                    "R17",
                    Severity.ERROR,
                    "rollout.layout.gpusPerEngine",
                    "engines fill the rollout GPUs",
                    "slime ray/rollout.py",
                    PlacementConstraints::wholeEngines),
            new Constraint(
                    "R18",
                    Severity.ERROR,
                    "cluster",
                    "colocated rollout uses no more GPUs than training",
                    "slime ray/placement_group.py",
                    PlacementConstraints::sharedPool),
            new Constraint(
                    "R19",
                    Severity.ERROR,
                    "cluster",
                    "the pools fit the machines",
                    "slime ray/placement_group.py",
                    PlacementConstraints::machines),
            new Constraint(
                    "R20",
                    Severity.WARNING,
                    "rollout.groupsPerStep",
                    "clients keep a step's samples open at once",
                    "slime; its page on DeepSeek-R1",
                    PlacementConstraints::openRequests),
            new Constraint(
                    "R21",
                    Severity.WARNING,
                    "rollout.layout.maxRunningRequests",
                    "engines run all samples in flight at once",
                    "planner",
                    PlacementConstraints::waves),
            new Constraint(
                    "R22",
                    Severity.ERROR,
                    "cluster.placement",
                    "sampling beside training needs GPUs of its own",
                    "slime train_async.py",
                    PlacementConstraints::overlap));

    private PlacementConstraints() {}

    private static @Nullable Breach wholeEngines(Candidate candidate) {
        EngineSide engine = candidate.engine();
        int pool = candidate.cluster().rolloutGpus();
        // An engine without GPUs is S16's.
        if (engine == null || engine.gpus() < 1 || pool > 0 && pool % engine.gpus() == 0) {
            return null;
        }
        return new Breach(
                "%d rollout GPUs cannot form engines of %d".formatted(pool, engine.gpus()),
                pool > 0
                        ? "set rollout.layout.gpusPerEngine to " + Divisors.choice(Divisors.of(pool))
                        : "give cluster at least one GPU that samples");
    }

    private static @Nullable Breach sharedPool(Candidate candidate) {
        Cluster cluster = candidate.cluster();
        // Without GPUs that train, M01 tells.
        if (candidate.engine() == null
                || cluster.trainGpus() < 1
                || !cluster.colocated()
                || cluster.rolloutGpus() <= cluster.trainGpus()) {
            return null;
        }
        return new Breach(
                "%d GPUs sample and %d train on the same machines: which of them train is not determined"
                        .formatted(cluster.rolloutGpus(), cluster.trainGpus()),
                "set cluster.rolloutGpus to %d, or cluster.placement to disaggregated".formatted(cluster.trainGpus()));
    }

    private static @Nullable Breach machines(Candidate candidate) {
        Cluster cluster = candidate.cluster();
        int sampling = candidate.engine() == null ? 0 : cluster.rolloutGpus();
        int needed = cluster.colocated() ? Math.max(cluster.trainGpus(), sampling) : cluster.trainGpus() + sampling;
        if (cluster.totalGpus() < 1 || needed <= cluster.totalGpus()) {
            return null;
        }
        return new Breach(
                "%d GPUs that train and %d that sample, %s, need %d, but there are %d"
                        .formatted(
                                cluster.trainGpus(),
                                sampling,
                                cluster.colocated() ? "shared" : "apart",
                                needed,
                                cluster.totalGpus()),
                cluster.colocated()
                        ? "train and sample on at most %d GPUs".formatted(cluster.totalGpus())
                        : "lower cluster.trainGpus or rolloutGpus by %d, or set cluster.placement to colocated"
                                .formatted(needed - cluster.totalGpus()));
    }

    private static @Nullable Breach openRequests(Candidate candidate) {
        EngineSide engine = candidate.engine();
        if (engine == null || !Given.script(candidate)) {
            return null;
        }
        int own = Given.count(candidate, CONCURRENCY, SLIME_CONCURRENCY);
        int each = (int) engine.flags().number("--server-concurrency", own);
        int samples = candidate.workload().samplesPerStep();
        int engines = candidate.engines();
        if (engines < 1 || (long) each * engines >= samples) {
            return null;
        }
        return new Breach(
                "%d samples a step queue in the client: it keeps %d requests open to each of %s"
                        .formatted(samples, each, engines(engines)),
                "set %s to at least %d".formatted(CONCURRENCY, Math.ceilDiv(samples, engines)));
    }

    private static @Nullable Breach waves(Candidate candidate) {
        EngineSide engine = candidate.engine();
        Workload workload = candidate.workload();
        if (engine == null || engine.maxRunningRequests() < 1 || candidate.engines() < 1) {
            return null;
        }
        long slots = (long) engine.maxRunningRequests() * candidate.engines();
        long samples = (long) (workload.groupsPerStep() + workload.oversample()) * workload.samplesPerPrompt();
        if (slots >= samples) {
            return null;
        }
        return new Breach(
                "%d samples are in flight, but %s can run %d at once: rollout takes %d waves"
                        .formatted(samples, engines(candidate.engines()), slots, Math.ceilDiv(samples, slots)),
                "set rollout.layout.maxRunningRequests to %d, where the KV cache holds them"
                        .formatted(Math.ceilDiv(samples, candidate.engines())));
    }

    private static String engines(int count) {
        return count == 1 ? "1 engine" : count + " engines";
    }

    private static @Nullable Breach overlap(Candidate candidate) {
        if (!Given.script(candidate)
                || !candidate.workload().asynchronous()
                || !candidate.cluster().colocated()) {
            return null;
        }
        return new Breach(
                "the next step is sampled while one trains, but both use the same GPUs",
                "set cluster.placement to disaggregated, or start train.py instead of train_async.py");
    }
}
