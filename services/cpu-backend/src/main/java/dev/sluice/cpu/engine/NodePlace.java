package dev.sluice.cpu.engine;

import dev.sluice.cpu.engine.LaunchFlags.UsageException;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * The place of this process in an engine of several nodes.
 *
 * @param nodes 1 for an engine of one process
 * @param rank 0 is the one that answers requests
 * @param meeting where node 0 listens for the others; null for an engine of one process
 * @param patience how long the nodes wait for each other
 */
record NodePlace(int nodes, int rank, @Nullable InetSocketAddress meeting, Duration patience) {
    private static final Pattern ADDRESS = Pattern.compile("\\[?([^\\]]+?)]?:(\\d{1,5})");
    /** PyTorch's own where {@code --dist-timeout} is not given. */
    private static final int DEFAULT_SECONDS = 600;

    /** Rules and words of SGLang's check_server_args. */
    static NodePlace of(LaunchFlags flags) {
        int nodes = number(flags, "nnodes", 1);
        int rank = number(flags, "node_rank", 0);
        int ranks = number(flags, "tp_size", 1) * number(flags, "pp_size", 1);
        require(nodes >= 1, "argument --nnodes: must be at least 1, got " + nodes);
        require(
                rank >= 0 && rank < nodes,
                "argument --node-rank: must be 0 to %d with --nnodes %d, got %d".formatted(nodes - 1, nodes, rank));
        require(ranks % nodes == 0, "tp_size must be divisible by number of nodes");
        require(
                nodes == 1 || number(flags, "dp_size", 1) == 1 || flags.isSet("enable_dp_attention"),
                "multi-node data parallel is not supported unless dp attention!");
        String address = flags.text("dist_init_addr");
        require(
                nodes == 1 || address != null,
                "argument --dist-init-addr: needed with --nnodes %d, the same HOST:PORT for all nodes"
                        .formatted(nodes));
        Duration patience = Duration.ofSeconds(number(flags, "dist_timeout", DEFAULT_SECONDS));
        return new NodePlace(nodes, rank, nodes == 1 ? null : address(address), patience);
    }

    private static InetSocketAddress address(@Nullable String text) {
        Matcher parts = ADDRESS.matcher(String.valueOf(text));
        boolean reads = parts.matches() && Integer.parseInt(parts.group(2)) <= 65_535;
        require(reads, "argument --dist-init-addr: must be HOST:PORT, got " + text);
        return new InetSocketAddress(parts.group(1), Integer.parseInt(parts.group(2)));
    }

    private static int number(LaunchFlags flags, String field, int otherwise) {
        Integer value = flags.number(field);
        return value == null ? otherwise : value;
    }

    private static void require(boolean holds, String message) {
        if (!holds) {
            throw new UsageException(message);
        }
    }

    /** For people. */
    @Override
    public String toString() {
        return "node %d of %d".formatted(rank, nodes);
    }
}
