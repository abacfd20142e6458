package dev.sluice.domain.search;

import dev.sluice.domain.candidate.Cluster;
import dev.sluice.domain.candidate.Gpu;
import dev.sluice.domain.request.HandOverRules;
import dev.sluice.events.TrainingRequest;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeSet;

/** How a request's GPUs can be shared between training and rollout. */
public final class PoolSplits {
    /** Finer splits differ by less than the predictions are worth. */
    private static final int EIGHTHS = 8;

    private PoolSplits() {}

    /** @return the request's own split, or for placement auto all GPUs shared and some splits; never empty */
    public static List<Cluster> of(TrainingRequest whole, Gpu gpu) {
        TrainingRequest.Cluster request = whole.cluster();
        int perNode = request.gpusPerNode();
        int train = request.trainGpus() > 0 ? request.trainGpus() : request.trainNodes() * perNode;
        int rollout = request.rolloutGpus() > 0 ? request.rolloutGpus() : request.rolloutNodes() * perNode;
        Cluster machines = new Cluster(
                gpu,
                perNode,
                train,
                rollout,
                false,
                request.hostMemoryGiB(),
                request.diskGiB(),
                Boolean.TRUE.equals(request.rdma()),
                request.sharedRoots(),
                total(request));
        return switch (request.placement()) {
            case COLOCATED -> List.of(colocated(machines, request));
            case DISAGGREGATED -> List.of(machines);
            case AUTO -> possible(all(machines), whole);
        };
    }

    /** Those that the request's other values allow; all where they allow none, so that the reason is told. */
    private static List<Cluster> possible(List<Cluster> splits, TrainingRequest request) {
        List<Cluster> possible = splits.stream()
                .filter(split ->
                        HandOverRules.problems(request, split.colocated()).isEmpty())
                .toList();
        return possible.isEmpty() ? splits : possible;
    }

    /** Both pools are on the same nodes where colocated. */
    private static int total(TrainingRequest.Cluster request) {
        int nodes = request.placement() == TrainingRequest.Placement.COLOCATED
                ? Math.max(request.trainNodes(), request.rolloutNodes())
                : request.trainNodes() + request.rolloutNodes();
        return nodes * request.gpusPerNode();
    }

    /** Where only one side's size is given, it is the other's too. */
    private static Cluster colocated(Cluster machines, TrainingRequest.Cluster request) {
        int perNode = machines.gpusPerNode();
        int nodes = Math.max(request.trainNodes(), request.rolloutNodes());
        int train = request.trainGpus() > 0 ? request.trainGpus() : nodes * perNode;
        int rollout = request.rolloutGpus() > 0 ? request.rolloutGpus() : train;
        return machines.split(true, train, rollout);
    }

    private static List<Cluster> all(Cluster machines) {
        int total = machines.totalGpus();
        // Within a node GPUs are dealt out one by one, beyond it node by node.
        int unit = total > machines.gpusPerNode() ? machines.gpusPerNode() : 1;
        int units = total / unit;
        TreeSet<Integer> shares = new TreeSet<>();
        for (int eighth = 1; eighth < EIGHTHS; eighth++) {
            shares.add(Math.clamp((long) units * eighth / EIGHTHS, 1, Math.max(1, units - 1)));
        }
        shares.removeIf(share -> share >= units);
        List<Cluster> splits = new ArrayList<>(List.of(machines.split(true, total, total)));
        shares.forEach(share -> splits.add(machines.split(false, share * unit, total - share * unit)));
        return splits;
    }
}
