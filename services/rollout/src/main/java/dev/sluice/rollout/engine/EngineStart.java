package dev.sluice.rollout.engine;

import dev.sluice.events.EngineEvent.Meeting;
import dev.sluice.rollout.assignment.Share.Node;
import dev.sluice.rollout.weights.WeightSource;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What a fresh process is.
 *
 * @param source the weights that it has loaded by itself
 * @param node its place in an engine of several nodes; null for an engine of one process
 * @param args the plan's arguments that it was started with
 */
record EngineStart(WeightSource source, @Nullable Node node, List<String> args) {
    /** Whether another process of its engine answers requests. */
    boolean follows() {
        return node != null && node.follows();
    }

    /** What the other nodes need to join it; null where there are none. */
    @Nullable
    Meeting meeting(EngineProcess process) {
        return node == null || follows()
                ? null
                : process.meetingAddress()
                        .map(address -> new Meeting(node.formed(), address, args))
                        .orElse(null);
    }
}
