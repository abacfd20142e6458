package dev.sluice.domain.candidate;

import java.util.List;

/**
 * The machines.
 *
 * @param gpusPerNode GPUs in one node
 * @param trainGpus GPUs that train
 * @param rolloutGpus GPUs that sample; the same ones where colocated
 * @param colocated whether rollout and training share the GPUs
 * @param hostMemoryGiB memory of a node's host, 0 where unknown
 * @param diskGiB free space for checkpoints, 0 where unknown
 * @param rdma whether nodes are joined by RDMA (InfiniBand or RoCE)
 * @param sharedRoots directories that every node sees; empty where unknown
 * @param totalGpus GPUs that there are, whichever pool uses them; 0 where unknown
 */
public record Cluster(
        Gpu gpu,
        int gpusPerNode,
        int trainGpus,
        int rolloutGpus,
        boolean colocated,
        int hostMemoryGiB,
        int diskGiB,
        boolean rdma,
        List<String> sharedRoots,
        int totalGpus) {
    public Cluster {
        sharedRoots = List.copyOf(sharedRoots);
    }

    /** Machines whose number nobody told: as many as the pools need. */
    public Cluster(
            Gpu gpu,
            int gpusPerNode,
            int trainGpus,
            int rolloutGpus,
            boolean colocated,
            int hostMemoryGiB,
            int diskGiB,
            boolean rdma,
            List<String> sharedRoots) {
        this(gpu, gpusPerNode, trainGpus, rolloutGpus, colocated, hostMemoryGiB, diskGiB, rdma, sharedRoots, 0);
    }

    /** Nodes that train. */
    public int trainNodes() {
        return Math.ceilDiv(trainGpus, gpusPerNode);
    }

    /** Nodes that sample. */
    public int rolloutNodes() {
        return Math.ceilDiv(rolloutGpus, gpusPerNode);
    }

    /** GPUs of one node that training uses. */
    public int trainGpusPerNode() {
        return Math.min(trainGpus, gpusPerNode);
    }

    /** The same machines with another number of GPUs that train; where colocated, they sample too. */
    public Cluster withTrainGpus(int gpus) {
        return new Cluster(
                gpu,
                gpusPerNode,
                gpus,
                colocated ? gpus : rolloutGpus,
                colocated,
                hostMemoryGiB,
                diskGiB,
                rdma,
                sharedRoots,
                0);
    }

    /** The same machines with another split of GPUs. */
    public Cluster split(boolean together, int training, int sampling) {
        return new Cluster(
                gpu, gpusPerNode, training, sampling, together, hostMemoryGiB, diskGiB, rdma, sharedRoots, totalGpus);
    }
}
