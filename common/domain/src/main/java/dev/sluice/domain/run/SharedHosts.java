package dev.sluice.domain.run;

import dev.sluice.domain.run.TrainerSeats.Seat;
import dev.sluice.events.InstanceSnapshot;
import dev.sluice.events.InstanceSnapshot.Role;
import dev.sluice.events.Plan;
import dev.sluice.events.RunEvent.EngineNode;
import dev.sluice.events.RunEvent.RolloutShare;
import dev.sluice.events.RunEvent.RunAssigned;
import dev.sluice.events.RunEvent.TrainerShare;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Chooses GPUs that engines and training take turns on. Each node of the worker lies on a host of its own, and the engines lie
 * beside it on GPUs of the same indexes: all of them or none, in the order of the worker's ranks, from its first rank on, since
 * the worker finds the engine of a rank by counting.
 *
 * @param room what other runs leave
 */
record SharedHosts(Run run, Room room, Instances instances, TrainerSeats seats, Instant now) {

    /** A worker and the engines beside it. */
    record Pair(TrainerShare trainer, List<RolloutShare> rollout) {}

    /** An instance of each side on one host; no engines where the worker has more GPUs than they need. */
    private record Host(Seat training, @Nullable InstanceSnapshot rollout) {}

    /**
     * What serves, or the same worker with other instances beside it, or both on other hosts; empty where there is no room.
     *
     * @param gaveUp whether the worker's instance lives, but has given the run up
     * @param whole whether nothing of the newest assignment is lost
     */
    Optional<Pair> choose(boolean gaveUp, boolean whole) {
        RunAssigned newest = run.service() == null ? null : run.service().assignment();
        if (newest == null) {
            return anywhere(null);
        }
        TrainerShare current = newest.trainer();
        if (whole) {
            return Optional.of(new Pair(current, newest.rollout()));
        }
        boolean serves = !gaveUp && seats.losses(current).isEmpty();
        Optional<Pair> stays = serves
                ? seats.of(current).flatMap(this::beside).map(hosts -> new Pair(current, rollout(hosts)))
                : Optional.empty();
        return stays.or(() -> anywhere(gaveUp ? current : null));
    }

    private Optional<Pair> anywhere(@Nullable TrainerShare last) {
        List<Host> hosts = new ArrayList<>();
        for (InstanceSnapshot trainer : seats.candidates(last)) {
            boolean another = hosts.stream()
                    .noneMatch(host -> host.training().instance().host().equals(trainer.host()));
            if (another && hosts.size() < seats.nodes()) {
                on(trainer, enginesOn(hosts.size())).ifPresent(hosts::add);
            }
        }
        return hosts.size() == seats.nodes() && fits()
                ? Optional.of(
                        new Pair(seats.share(hosts.stream().map(Host::training).toList()), rollout(hosts)))
                : Optional.empty();
    }

    private Optional<Host> on(InstanceSnapshot trainer, int engines) {
        if (engines == 0) {
            return room.gpus(trainer, List.of(), seats.gpusPerNode())
                    .map(gpus -> new Host(new Seat(trainer, gpus), null));
        }
        return rolloutOn(trainer.host())
                .filter(rollout -> room.freeSlots(rollout) >= engines)
                .flatMap(rollout -> room.shared(trainer, rollout, seats.gpusPerNode()).stream()
                        .map(gpus -> new Host(new Seat(trainer, gpus), rollout)))
                .findFirst();
    }

    /** Instances beside a worker that stays; empty where one of its hosts has none. */
    private Optional<List<Host>> beside(List<Seat> worker) {
        List<Host> hosts = new ArrayList<>();
        for (Seat seat : worker) {
            int engines = enginesOn(hosts.size());
            Optional<InstanceSnapshot> rollout = rolloutOn(seat.instance().host())
                    .filter(instance -> room.freeSlots(instance) >= engines && room.isFree(instance, seat.gpus()))
                    .findFirst();
            if (engines > 0 && rollout.isEmpty()) {
                return Optional.empty();
            }
            hosts.add(new Host(seat, engines == 0 ? null : rollout.orElseThrow()));
        }
        return fits() ? Optional.of(hosts) : Optional.empty();
    }

    /** Those that serve the run already first: their engines go on. */
    private Stream<InstanceSnapshot> rolloutOn(String host) {
        return instances.ready(Role.ROLLOUT, plan().backend(), now).stream()
                .filter(rollout -> rollout.host().equals(host))
                .sorted(Comparator.comparing(rollout -> !serves(rollout)));
    }

    private boolean serves(InstanceSnapshot rollout) {
        return run.service() != null
                && run.service().assignment().rollout().stream()
                        .anyMatch(share -> share.instanceId().equals(rollout.instanceId())
                                && share.incarnation().equals(rollout.incarnation()));
    }

    /** Engines, or nodes of engines, beside a node of the worker. */
    private int enginesOn(int node) {
        int engines = plan().rollout().engines();
        int nodes = plan().rollout().nodesPerEngine();
        if (nodes > 1) {
            return node / nodes < engines ? 1 : 0;
        }
        int each = seats.gpusPerNode() / gpusOnNode();
        return Math.clamp(engines - (long) each * node, 0, each);
    }

    private boolean fits() {
        int engines = plan().rollout().engines();
        int nodes = plan().rollout().nodesPerEngine();
        return nodes > 1
                ? engines * nodes <= seats.nodes() && gpusOnNode() <= seats.gpusPerNode()
                : engines <= seats.nodes() * (seats.gpusPerNode() / gpusOnNode());
    }

    private List<RolloutShare> rollout(List<Host> hosts) {
        List<RolloutShare> shares = new ArrayList<>();
        for (int node = 0; node < hosts.size(); node++) {
            InstanceSnapshot rollout = hosts.get(node).rollout();
            if (rollout != null) {
                int engines = enginesOn(node);
                List<Integer> shared = hosts.get(node).training().gpus();
                List<Integer> gpus = shared.isEmpty() ? shared : shared.subList(0, engines * gpusOnNode());
                shares.add(new RolloutShare(
                        rollout.instanceId(), rollout.incarnation(), engines, gpus, place(hosts, node)));
            }
        }
        return List.copyOf(shares);
    }

    /** An engine of several nodes keeps its name where all of its instances are the same. */
    private @Nullable EngineNode place(List<Host> hosts, int node) {
        int nodes = plan().rollout().nodesPerEngine();
        if (nodes == 1) {
            return null;
        }
        int first = node / nodes * nodes;
        List<InstanceSnapshot> group = hosts.subList(first, first + nodes).stream()
                .map(host -> Objects.requireNonNull(host.rollout()))
                .toList();
        String head = group.getFirst().instanceId();
        return new EngineNode(formed(group, head), head, node % nodes, nodes);
    }

    private int formed(List<InstanceSnapshot> group, String head) {
        List<RolloutShare> known = run.service() == null
                ? List.of()
                : run.service().assignment().rollout().stream()
                        .filter(share ->
                                share.node() != null && share.node().head().equals(head))
                        .toList();
        boolean same = known.size() == group.size() && group.stream().allMatch(this::serves);
        return same ? Objects.requireNonNull(known.getFirst().node()).formed() : seats.epoch();
    }

    private int gpusOnNode() {
        Plan.RolloutPlan rollout = plan().rollout();
        return Math.max(1, Math.ceilDiv(rollout.gpusPerEngine(), rollout.nodesPerEngine()));
    }

    private Plan plan() {
        return Objects.requireNonNull(run.accepted()).event().plan();
    }
}
