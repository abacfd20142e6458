package dev.sluice.rollout.engine;

import dev.sluice.process.PortLease;
import dev.sluice.rollout.assignment.Share.Node;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * The command line of one engine process, apart from what starts it.
 *
 * @param args the plan's arguments, checked, without {@code --nnodes}
 * @param dataParallel ranks of attention that have sockets of their own; 1 where there are none
 * @param nodes how many processes make one engine
 * @see <a href="https://github.com/sgl-project/sglang/blob/v0.5.15.post1/python/sglang/srt/server_args.py">PortArgs</a>
 */
record EngineCommand(List<String> args, int dataParallel, int nodes) {
    private static final String NODES = "--nnodes";
    /** SGLang's own seven ports after the meeting address, and room for the sockets of its ranks. */
    private static final int PORTS_OF_ATTENTION_RANKS = 30;

    private static final int HTTP_AND_NCCL = 2;

    /**
     * Reads the plan's arguments.
     *
     * @param objection what is wrong with a path, if anything
     * @throws IllegalArgumentException naming everything that an event may not give
     */
    static EngineCommand of(List<String> planned, Function<String, Optional<String>> objection) {
        List<String> args = EngineArguments.check(EngineArguments.without(planned, NODES), objection);
        boolean ranks = args.contains("--enable-dp-attention");
        int dataParallel = ranks
                ? number(args, "--dp-size")
                        .or(() -> number(args, "--data-parallel-size"))
                        .orElse(1)
                : 1;
        return new EngineCommand(args, dataParallel, number(planned, NODES).orElse(1));
    }

    private static Optional<Integer> number(List<String> args, String flag) {
        return EngineArguments.value(args, flag).map(text -> {
            int number;
            try {
                number = Integer.parseInt(text);
            } catch (NumberFormatException e) {
                throw new IllegalArgumentException("the plan says " + flag + " " + text + ", which is no number");
            }
            if (number < 1 || number > 1024) {
                throw new IllegalArgumentException("the plan says " + flag + " " + text + "; 1 to 1024 are taken");
            }
            return number;
        });
    }

    /**
     * Neighbouring ports that such a process takes: HTTP, NCCL, and where the ranks meet, on node 0 alone.
     *
     * @param node which of the engine's processes this is; null where there is only one
     */
    int ports(@Nullable Node node) {
        boolean meetHere = node == null ? dataParallel > 1 : !node.follows();
        return meetHere ? Math.min(PORTS_OF_ATTENTION_RANKS + dataParallel, PortLease.MAXIMUM_COUNT) : HTTP_AND_NCCL;
    }

    /** The port of a lease at which ranks meet. */
    static int meetingPort(int firstPort) {
        return firstPort + HTTP_AND_NCCL;
    }

    /**
     * Program and arguments.
     *
     * @param program program and leading arguments
     * @param modelPath Hugging Face directory
     * @param host where it listens
     * @param firstPort of {@link #ports()}
     * @param node which of the engine's processes this is; null where there is only one
     * @throws IllegalArgumentException if the engine has several processes and nobody says which this is
     */
    List<String> line(List<String> program, String modelPath, String host, int firstPort, @Nullable Node node) {
        List<String> line = new ArrayList<>(program);
        line.addAll(args);
        line.addAll(List.of("--model-path", modelPath, "--host", host, "--port", Integer.toString(firstPort)));
        if (nodes > 1 || node != null) {
            line.addAll(meeting(node));
        } else if (dataParallel > 1) {
            // Otherwise its ranks meet at the HTTP port + 233, which nobody has leased.
            line.addAll(List.of("--dist-init-addr", host + ":" + meetingPort(firstPort)));
        }
        line.addAll(List.of("--nccl-port", Integer.toString(firstPort + 1)));
        return line;
    }

    private List<String> meeting(@Nullable Node node) {
        if (node == null) {
            throw new IllegalArgumentException(
                    "an engine of the plan spans %d nodes, and the assignment gives this".formatted(nodes)
                            + " instance no place among them; use engines that fit one node (rollout.layout.gpusPerEngine)");
        }
        if (node.nodes() != nodes || node.meetingAddress() == null) {
            throw new IllegalArgumentException(
                    "an engine of the plan spans %d nodes; this would be %s".formatted(nodes, node));
        }
        return List.of(
                NODES,
                Integer.toString(nodes),
                "--node-rank",
                Integer.toString(node.rank()),
                "--dist-init-addr",
                node.meetingAddress());
    }
}
