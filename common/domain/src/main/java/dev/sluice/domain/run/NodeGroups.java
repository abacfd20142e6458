package dev.sluice.domain.run;

import dev.sluice.events.RunEvent.EngineNode;
import dev.sluice.events.RunEvent.RolloutShare;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Brings instances together into engines that span several nodes, one instance a node. A group lives and dies as a whole: one
 * that lost an instance is dissolved, and its other instances are the first to be in the next one.
 *
 * @param nodes of an engine, at least 2
 * @param epoch of the assignment that is being decided
 */
record NodeGroups(int nodes, int epoch) {
    private static final Comparator<RolloutShare> ORDER = Comparator.comparingInt(
                    (RolloutShare share) -> share.node().formed())
            .thenComparing(share -> share.node().head())
            .thenComparingInt(share -> share.node().rank());

    /** An instance that could serve as a node, with the GPUs that it would give. */
    record Seat(String instanceId, String incarnation, List<Integer> gpus) {}

    /** The shares of engines whose instances are all among these, in the order in which the engines were formed. */
    List<List<RolloutShare>> whole(Collection<RolloutShare> alive) {
        Map<List<Object>, List<RolloutShare>> groups = new LinkedHashMap<>();
        alive.stream()
                .filter(share -> share.node() != null && share.node().nodes() == nodes)
                .sorted(ORDER)
                .forEach(share -> groups.computeIfAbsent(
                                List.of(share.node().formed(), share.node().head()), name -> new ArrayList<>())
                        .add(share));
        return groups.values().stream()
                .filter(group -> group.size() == nodes)
                .map(List::copyOf)
                .toList();
    }

    /**
     * As many engines as wanted and possible: those that are whole stay, the newest go first where there are too many.
     *
     * @param alive shares of the newest assignment whose instances still serve
     * @param free instances that are in none of them but could be, in order of preference
     */
    List<RolloutShare> shares(Collection<RolloutShare> alive, List<Seat> free, int wanted) {
        List<List<RolloutShare>> groups = new ArrayList<>(whole(alive));
        if (groups.size() > wanted) {
            groups.removeLast(); // the next decision gives up another if it still has to
        }
        Set<String> survivors = new HashSet<>();
        alive.forEach(share -> survivors.add(share.instanceId()));
        // Their model files are in the page cache.
        List<Seat> seats = free.stream()
                .sorted(Comparator.comparing(seat -> !survivors.contains(seat.instanceId())))
                .toList();
        for (int first = 0; groups.size() < wanted && first + nodes <= seats.size(); first += nodes) {
            groups.add(formed(seats.subList(first, first + nodes)));
        }
        return groups.stream().flatMap(List::stream).sorted(ORDER).toList();
    }

    private List<RolloutShare> formed(List<Seat> seats) {
        List<RolloutShare> group = new ArrayList<>();
        String head = seats.getFirst().instanceId();
        for (Seat seat : seats) {
            EngineNode node = new EngineNode(epoch, head, group.size(), nodes);
            group.add(new RolloutShare(seat.instanceId(), seat.incarnation(), 1, seat.gpus(), node));
        }
        return List.copyOf(group);
    }
}
