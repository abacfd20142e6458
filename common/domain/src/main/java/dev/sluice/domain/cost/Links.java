package dev.sluice.domain.cost;

import dev.sluice.domain.candidate.Cluster;

/** Bandwidths that transfers see, bytes a second; shares of the data sheets' figures are assumptions. */
record Links(double withinNode, double betweenNodes, int gpusPerNode) {
    private static final double NVLINK_SHARE = 0.75;
    /** 400 Gbit/s InfiniBand a GPU. */
    private static final double RDMA = 50e9 * 0.8;
    /** 100 Gbit/s Ethernet that the GPUs of a node share. */
    private static final double ETHERNET = 12.5e9 * 0.8;

    static Links of(Cluster cluster) {
        double between = cluster.rdma() ? RDMA : ETHERNET / cluster.gpusPerNode();
        return new Links(cluster.gpu().linkGigabytesPerSecond() * 1e9 * NVLINK_SHARE, between, cluster.gpusPerNode());
    }

    /** For a group of GPUs that lie next to each other. */
    double of(int span) {
        return span <= gpusPerNode ? withinNode : betweenNodes;
    }
}
