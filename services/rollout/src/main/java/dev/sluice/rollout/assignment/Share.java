package dev.sluice.rollout.assignment;

import dev.sluice.events.Plan.Fallback;
import dev.sluice.events.Rollout.PauseMode;
import dev.sluice.events.RunEvent.EngineNode;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * What this instance gives to a run.
 *
 * @param epoch of the assignment
 * @param engines engines to run, all alike
 * @param gpus GPU indexes for all of them together; empty on CPUs
 * @param node which part of one engine that spans several nodes this instance starts; null for whole engines
 */
public record Share(
        String runId,
        int epoch,
        int engines,
        List<Integer> gpus,
        EngineRecipe recipe,
        @Nullable Node node) {
    /** Run ids name folders. */
    private static final Pattern RUN_ID = Pattern.compile("[a-z0-9-]{1,40}");

    public Share {
        if (!RUN_ID.matcher(runId).matches()) {
            throw new IllegalArgumentException("the run id '" + runId + "' does not match " + RUN_ID);
        }
        gpus = List.copyOf(gpus);
        if (engines < 0) {
            throw new IllegalArgumentException("run " + runId + " asks for " + engines + " engines");
        }
    }

    /** Engines that fit this instance. */
    public Share(String runId, int epoch, int engines, List<Integer> gpus, EngineRecipe recipe) {
        this(runId, epoch, engines, gpus, recipe, null);
    }

    public Share withEngines(int other) {
        return new Share(runId, epoch, other, gpus, recipe, node);
    }

    public Share withRecipe(EngineRecipe other) {
        return new Share(runId, epoch, engines, gpus, other, node);
    }

    public Share withNode(Node other) {
        return new Share(runId, epoch, engines, gpus, recipe, other);
    }

    /**
     * The place of this instance's process in an engine of several nodes. {@code formed} and {@code head} name the engine's
     * instances: others have another name.
     *
     * @param formed epoch of the assignment that brought the instances together
     * @param head the instance of node 0, which answers requests
     * @param rank of this node
     * @param meetingAddress host and port of node 0 where the processes meet; null before a start has chosen it
     */
    public record Node(
            int formed,
            String head,
            int rank,
            int nodes,
            @Nullable String meetingAddress) {
        private static final Pattern ADDRESS =
                Pattern.compile("[A-Za-z0-9.-]{1,253}:[0-9]{1,5}|\\[[0-9a-f:]+]:[0-9]{1,5}");

        public Node {
            if (rank < 0
                    || rank >= nodes
                    || meetingAddress != null
                            && !ADDRESS.matcher(meetingAddress).matches()) {
                throw new IllegalArgumentException(
                        "node %d of %d of an engine meets at '%s'; needed are a rank below the number of nodes and host:port"
                                .formatted(rank, nodes, meetingAddress));
            }
        }

        /** The place that an assignment names. */
        static Node of(EngineNode node) {
            return new Node(node.formed(), node.head(), node.rank(), node.nodes(), null);
        }

        public Node meetingAt(String address) {
            return new Node(formed, head, rank, nodes, address);
        }

        /** Whether it starts its process only for an engine that node 0 has started. */
        public boolean follows() {
            return rank > 0;
        }
    }

    /**
     * How an engine of the run is started.
     *
     * @param modelPath Hugging Face directory of the source weights and the tokenizer
     * @param args the plan's arguments, without program, model path, host and port
     * @param maxRunningRequests samples one engine runs at once
     * @param weightLoadDeadline how long an engine may take to load a weight version
     * @param environment the plan's variables
     * @param fallbacks other arguments, in order, where a start finds no memory
     * @param pauseMode what new weights do to samples on the way
     * @param colocated whether its engines take turns with training on their GPUs
     */
    public record EngineRecipe(
            String modelPath,
            List<String> args,
            int maxRunningRequests,
            Duration weightLoadDeadline,
            Map<String, String> environment,
            List<Fallback> fallbacks,
            PauseMode pauseMode,
            boolean colocated) {
        public EngineRecipe {
            args = List.copyOf(args);
            environment = Map.copyOf(environment);
            fallbacks = List.copyOf(fallbacks);
        }

        /** Without variables and fallbacks; new weights abort what runs. */
        public EngineRecipe(String modelPath, List<String> args, int maxRunningRequests, Duration weightLoadDeadline) {
            this(modelPath, args, maxRunningRequests, weightLoadDeadline, Map.of(), List.of(), PauseMode.ABORT, false);
        }

        public EngineRecipe withArgs(List<String> other) {
            return new EngineRecipe(
                    modelPath,
                    other,
                    maxRunningRequests,
                    weightLoadDeadline,
                    environment,
                    fallbacks,
                    pauseMode,
                    colocated);
        }
    }
}
