package dev.sluice.domain.slime;

import dev.sluice.domain.candidate.Gpu;
import dev.sluice.domain.shell.Field;
import dev.sluice.domain.slime.Finding.Kind;
import java.util.Optional;

/** The machines: {@code cluster}. */
record ClusterFlags(Draft draft, Optional<Field> gpusOfNode, ImportSettings settings) {
    private static final String NODES = "--actor-num-nodes";
    private static final String PER_NODE = "--actor-num-gpus-per-node";
    private static final String ROLLOUT = "--rollout-num-gpus";
    private static final String NODE = "--num-gpus-per-node";

    /** What slime takes for the GPUs of a node where a script does not say. */
    private static final long USUAL_NODE = 8;

    private static final long MOST_GPUS = 1_000_000;

    void read() {
        draft.put("cluster.placement", draft.has("--colocate") ? "colocated" : "disaggregated");
        gpu();
        long nodes = positive(NODES, 1);
        long perNode = positive(PER_NODE, USUAL_NODE);
        long node = node(nodes, perNode);
        long train = nodes * perNode;
        draft.put("cluster.gpusPerNode", node);
        pool("train", train, node);
        if (!KindFlags.isSupervised(draft)) {
            rollout(train).ifPresent(gpus -> pool("rollout", gpus, node));
        }
        if (settings.hostMemoryGiB() > 0) {
            draft.put("cluster.hostMemoryGiB", settings.hostMemoryGiB());
        }
        if (settings.trainer() != null) {
            draft.put("versions.trainer", settings.trainer());
        }
    }

    private void gpu() {
        String gpu = settings.gpu();
        draft.put("cluster.gpu", gpu == null ? Gpu.H100_80.label() : gpu);
        if (gpu == null) {
            draft.findings()
                    .note(
                            draft.place(NODES),
                            null,
                            "a script does not name its GPUs; they are taken for " + Gpu.H100_80.label(),
                            "give --gpu, one of " + String.join(", ", Gpu.labels()));
        }
    }

    private long node(long nodes, long perNode) {
        Optional<Long> said = draft.whole(NODE);
        Optional<Long> started = gpusOfNode
                .filter(field -> field.known() && field.text().matches("\\d{1,4}"))
                .map(field -> Long.parseLong(field.text()))
                .filter(gpus -> gpus > 0);
        long node = said.or(() -> started).orElse(Math.max(USUAL_NODE, perNode));
        if (perNode > node) {
            draft.findings()
                    .error(
                            Kind.VALUE,
                            draft.place(PER_NODE),
                            PER_NODE,
                            "training takes %d GPUs of a node that has %d".formatted(perNode, node),
                            "raise --num-gpus-per-node, or lower it to %d".formatted(node));
            return perNode;
        }
        if (nodes > 1 && perNode < node) {
            draft.findings()
                    .note(
                            draft.place(PER_NODE),
                            PER_NODE,
                            "training takes %d of the %d GPUs of each of %d nodes; nodes are taken to have %d"
                                    .formatted(perNode, node, nodes, perNode),
                            "set cluster.gpusPerNode and cluster.trainGpus in the request where that matters");
            return perNode;
        }
        return Math.max(1, node);
    }

    private Optional<Long> rollout(long train) {
        if (!draft.has(ROLLOUT)) {
            if (!draft.has("--colocate")) {
                draft.missing(ROLLOUT, "give --rollout-num-gpus, or --colocate to sample on the GPUs that train");
                return Optional.empty();
            }
            return Optional.of(train);
        }
        Optional<Long> gpus = draft.whole(ROLLOUT);
        if (gpus.isPresent() && (gpus.get() < 1 || gpus.get() > MOST_GPUS)) {
            draft.findings()
                    .error(
                            Kind.VALUE,
                            draft.place(ROLLOUT),
                            ROLLOUT,
                            "%d GPUs sample; a run needs at least one engine of its own".formatted(gpus.get()),
                            "give the number of GPUs that sample");
            return Optional.empty();
        }
        return gpus;
    }

    /** Nodes of one side, and its GPUs where they do not fill them. */
    private void pool(String side, long gpus, long node) {
        long nodes = Math.ceilDiv(gpus, node);
        draft.put("cluster." + side + "Nodes", nodes);
        if (nodes * node != gpus) {
            draft.put("cluster." + side + "Gpus", gpus);
        }
    }

    private long positive(String flag, long otherwise) {
        long value = draft.whole(flag, otherwise);
        if (value < 1 || value > MOST_GPUS) {
            draft.findings()
                    .error(
                            Kind.VALUE,
                            draft.place(flag),
                            flag,
                            "%d is not between 1 and %,d".formatted(value, MOST_GPUS),
                            "give the number of the script's machines");
            return otherwise;
        }
        return value;
    }
}
