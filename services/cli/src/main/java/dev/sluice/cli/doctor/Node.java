package dev.sluice.cli.doctor;

import dev.sluice.cli.CommandFailure;
import dev.sluice.events.Backend;
import dev.sluice.events.Plan;
import dev.sluice.events.TrainingRequest;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** The node that is looked at, and what it is to be good for. */
final class Node {
    private final Order order;
    private List<InstalledGpu> gpus = List.of();
    private InstalledGpu.@Nullable Links links;

    Node(Order order) {
        this.order = order;
    }

    /**
     * What is to be checked.
     *
     * @param backend that faults are judged for
     * @param job what is to run, where it is known
     * @param dataRoot where runs keep their files
     * @param workDirectory of {@code sluice up}
     * @param engine program that starts an engine, with leading arguments
     * @param worker program that starts the ranks of a training worker, with leading arguments
     * @param bootstrapServers the broker, where one is known
     * @param place of this node among those that measure bandwidth together
     * @param quick without what takes minutes: imports and bandwidth
     * @param mark whether a mark of this host stays in the data root
     */
    record Order(
            Backend backend,
            Optional<Job> job,
            Path dataRoot,
            Path workDirectory,
            List<String> engine,
            List<String> worker,
            Optional<String> bootstrapServers,
            Place place,
            boolean quick,
            boolean mark) {
        Order {
            engine = List.copyOf(engine);
            worker = List.copyOf(worker);
        }
    }

    /** A request with its plan. */
    record Job(TrainingRequest request, Plan plan) {
        /** GPUs that it wants of one node. */
        int gpusPerNode() {
            int most = Math.max(
                    plan.training().gpus(),
                    plan.rollout().engines() * plan.rollout().gpusPerEngine());
            return Math.min(most, request.cluster().gpusPerNode());
        }
    }

    /**
     * Which of the nodes this one is.
     *
     * @param nodes from 1
     * @param rank from 0
     * @param master host and port where the first one listens; null where there is one node
     */
    record Place(int nodes, int rank, @Nullable String master) {
        static final Place ALONE = new Place(1, 0, null);
        private static final int MOST_NODES = 1024;

        Place {
            if (nodes < 1 || nodes > MOST_NODES || rank < 0 || rank >= nodes) {
                throw CommandFailure.usage(
                        "--nodes %d with --node-rank %d; ranks go from 0 to one less than the nodes (at most %d)"
                                .formatted(nodes, rank, MOST_NODES));
            }
            if (nodes > 1 && (master == null || !master.matches("[^:\\s]+:\\d{1,5}"))) {
                throw CommandFailure.usage("--nodes " + nodes
                        + " needs --master HOST:PORT: the first node's address, the same on every node");
            }
        }
    }

    Order order() {
        return order;
    }

    Optional<Job> job() {
        return order.job();
    }

    boolean gpuBackend() {
        return order.backend() == Backend.GPU;
    }

    /** GPUs that were found by {@link GpuCheck}, which comes first. */
    List<InstalledGpu> gpus() {
        return gpus;
    }

    InstalledGpu.@Nullable Links links() {
        return links;
    }

    void has(List<InstalledGpu> found, InstalledGpu.@Nullable Links joined) {
        gpus = List.copyOf(found);
        links = joined;
    }
}
