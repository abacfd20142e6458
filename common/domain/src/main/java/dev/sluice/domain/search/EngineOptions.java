package dev.sluice.domain.search;

import dev.sluice.domain.candidate.Candidate;
import dev.sluice.domain.candidate.EngineSide;
import dev.sluice.domain.candidate.EngineSide.Speculation;
import dev.sluice.domain.candidate.Flags;
import dev.sluice.domain.cost.RolloutTime;
import dev.sluice.domain.memory.EngineMemory;
import dev.sluice.domain.model.ModelSpec;
import dev.sluice.events.Rollout;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/** What a search over engines tries: the request's values where it gives them, all sensible ones elsewhere. */
final class EngineOptions {
    private static final int MOST_NODES_OF_AN_ENGINE = 8;
    private static final int MOST_RUNNING_OF_A_RANK = 256;
    /** Above these shares slime's recipes never go; the heuristic alone would. */
    private static final double COLOCATED_SHARE = 0.7;

    private static final double ALONE_SHARE = 0.85;
    private static final double SHARE_STEP = 100;
    private static final int CHUNK_TOKENS = 8192;
    private static final String NO_BACKEND = "none";
    private static final String DEEPEP = "deepep";
    /** Compute capability, times ten, that DeepEP's kernels need. */
    private static final int HOPPER = 90;

    private final Candidate base;
    private final Rollout rollout;
    private final Rollout.RolloutLayout given;
    private final Flags further;
    private final double weightBytes;

    EngineOptions(Candidate base, Rollout rollout, Flags further, double weightBytes) {
        this.base = base;
        this.rollout = rollout;
        given = rollout.layout();
        this.further = further;
        this.weightBytes = weightBytes;
    }

    /** Whether the request leaves no size open. */
    boolean fixed() {
        return given.gpusPerEngine() != null
                && given.dp() != null
                && (given.ep() != null || base.model().experts() == null);
    }

    List<EngineSide> engines() {
        List<EngineSide> engines = new ArrayList<>();
        for (int gpus : sizes()) {
            int pp = given.pp() == null ? 1 : given.pp();
            int tp = Math.max(1, gpus / pp);
            for (int dp : Divisors.givenOr(given.dp(), attentionRanks(tp))) {
                for (int ep : Divisors.givenOr(given.ep(), expertRanks(tp))) {
                    for (Speculation speculation : speculations()) {
                        engines.add(engine(gpus, pp, dp, ep, speculation));
                    }
                }
            }
        }
        return engines;
    }

    /** Parts of a node, and whole nodes. */
    private List<Integer> sizes() {
        if (given.gpusPerEngine() != null) {
            return List.of(given.gpusPerEngine());
        }
        int gpus = base.cluster().rolloutGpus();
        if (rollout.engines() > 0) {
            return List.of(Math.max(1, gpus / rollout.engines()));
        }
        int perNode = base.cluster().gpusPerNode();
        TreeSet<Integer> sizes = new TreeSet<>(Divisors.of(Math.min(perNode, gpus), perNode));
        for (int nodes = 2; nodes <= MOST_NODES_OF_AN_ENGINE && nodes * perNode <= gpus; nodes++) {
            sizes.add(nodes * perNode);
        }
        sizes.removeIf(size -> gpus % size != 0);
        return List.copyOf(sizes);
    }

    /** Attention is split by data where its heads do not divide, and where one latent is cheaper whole than copied. */
    private List<Integer> attentionRanks(int tp) {
        ModelSpec model = base.model();
        return model.latent() || model.experts() != null ? Divisors.of(tp, tp) : List.of(1);
    }

    private List<Integer> expertRanks(int tp) {
        if (base.model().experts() == null) {
            return List.of(1);
        }
        return rollout.redundantExperts() > 0 ? List.of(tp) : tp == 1 ? List.of(1) : List.of(1, tp);
    }

    /**
     * The request's redundant experts, or the fewest that make experts divide where the request leaves the layout open
     * and the GPUs can send tokens to them.
     */
    private int redundant(int ep) {
        if (rollout.redundantExperts() > 0 || given.ep() != null || given.a2aBackend() != null) {
            return rollout.redundantExperts();
        }
        boolean able = base.cluster().gpu().computeCapability() >= HOPPER;
        return able ? Math.floorMod(-base.model().expertCount(), ep) : 0;
    }

    private List<Speculation> speculations() {
        int steps = rollout.speculation().steps();
        boolean able = base.model().mtpLayers() > 0;
        return switch (rollout.speculation().algorithm()) {
            case NONE -> List.of(Speculation.OFF);
            case EAGLE -> List.of(Speculation.eagle(steps));
            case AUTO ->
                able
                        ? List.of(Speculation.OFF, Speculation.eagle(2), Speculation.eagle(3), Speculation.eagle(4))
                        : List.of(Speculation.OFF);
        };
    }

    /** The engine with batches and memory fraction that fit one another. */
    private EngineSide engine(int gpus, int pp, int dp, int ep, Speculation speculation) {
        int redundant = redundant(ep);
        String backend = given.a2aBackend() != null ? given.a2aBackend() : redundant > 0 ? DEEPEP : NO_BACKEND;
        boolean attention = dp > 1;
        int engines = Math.max(1, base.cluster().rolloutGpus() / Math.max(1, gpus));
        int samples = Math.ceilDiv(base.workload().samplesPerStep(), engines);
        int rank = Math.min(MOST_RUNNING_OF_A_RANK, Math.ceilDiv(samples, Math.max(1, dp)));
        EngineSide first = new EngineSide(
                gpus,
                pp,
                dp,
                attention,
                attention,
                backend.equals(NO_BACKEND) ? ep : gpus / Math.max(1, pp),
                redundant,
                0,
                rank,
                rank * Math.max(1, dp),
                CHUNK_TOKENS,
                pageTokens(),
                attention ? 1 : 0,
                backend,
                "auto",
                dispatch(backend, redundant),
                further.has("--enable-eplb"),
                speculation,
                weightBytes,
                given.kvCacheDtype() != null && given.kvCacheDtype().startsWith("fp8") ? 1 : 2,
                further);
        return limited(first, fraction(first));
    }

    /** DSA's index cache has pages of 64 tokens (rule S33). */
    private int pageTokens() {
        return (int) further.number("--page-size", base.model().indexer() != null ? 64 : 1);
    }

    private @Nullable String dispatch(String backend, int redundant) {
        String asked = further.text("--ep-dispatch-algorithm", "");
        if (!asked.isEmpty()) {
            return asked;
        }
        return redundant > 0 && !backend.equals(NO_BACKEND) ? "dynamic" : null;
    }

    private double fraction(EngineSide engine) {
        if (given.memFractionStatic() != null) {
            return given.memFractionStatic();
        }
        double share = base.cluster().colocated() ? COLOCATED_SHARE : ALONE_SHARE;
        double most = Math.min(share, EngineMemory.largestFraction(base, engine));
        return Math.max(0.01, Math.floor(most * SHARE_STEP) / SHARE_STEP);
    }

    /** No more samples at once than the caches hold; graphs for as many as run. */
    private EngineSide limited(EngineSide engine, double fraction) {
        int ranks = Math.max(1, engine.dp());
        EngineSide sized = engine.withBatches(fraction, engine.cudaGraphMaxBatch(), engine.maxRunningRequests());
        int rank = engine.cudaGraphMaxBatch();
        if (engine.ep() > 0 && engine.tp() % engine.ep() == 0) {
            long held = EngineMemory.of(base, sized).cacheTokens();
            double mean = RolloutTime.meanTokens(base.workload());
            rank = (int) Math.max(1, Math.min(rank, 0.9 * held / Math.max(1, mean)));
        }
        int running = given.maxRunningRequests() != null ? given.maxRunningRequests() : rank * ranks;
        int graph = given.cudaGraphMaxBatch() != null ? given.cudaGraphMaxBatch() : Math.ceilDiv(running, ranks);
        return engine.withBatches(fraction, graph, running);
    }
}
