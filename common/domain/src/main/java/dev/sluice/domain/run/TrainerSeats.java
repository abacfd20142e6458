package dev.sluice.domain.run;

import dev.sluice.events.InstanceSnapshot;
import dev.sluice.events.InstanceSnapshot.Role;
import dev.sluice.events.Plan;
import dev.sluice.events.RunEvent.RunPlanned;
import dev.sluice.events.RunEvent.TrainerNode;
import dev.sluice.events.RunEvent.TrainerShare;
import dev.sluice.events.RunKind;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Chooses the instances that train a run: one for each node of its worker, with the GPUs that each gives. They live and die as a
 * whole: where one is lost, a new worker is formed under a new epoch.
 *
 * @param room what other runs leave
 * @param epoch of the assignment that is being decided
 */
record TrainerSeats(Run run, Room room, Instances instances, int epoch, Instant now) {

    /** An instance that starts the ranks of one node, with the GPUs that it gives them. */
    record Seat(InstanceSnapshot instance, List<Integer> gpus) {}

    /** Why a worker can serve no longer; none while it can. */
    List<String> losses(TrainerShare share) {
        List<String> losses = new ArrayList<>();
        instances.lost(share.instanceId(), share.incarnation(), now).ifPresent(losses::add);
        share.others()
                .forEach(node -> instances
                        .lost(node.instanceId(), node.incarnation(), now)
                        .ifPresent(losses::add));
        return losses;
    }

    /**
     * As many instances as the worker has nodes, those with the most free slots first; nothing where there are fewer.
     *
     * @param gaveUp the trainer that gave the run up, which is asked again only where there is no other
     */
    @Nullable
    TrainerShare choose(@Nullable TrainerShare gaveUp) {
        List<Seat> chosen = candidates(gaveUp).stream()
                .flatMap(trainer -> gpus(trainer).map(gpus -> new Seat(trainer, gpus)).stream())
                .limit(nodes())
                .toList();
        return chosen.size() < nodes() ? null : share(chosen);
    }

    /** Instances with a free slot in order of preference: those with the most first, one that gave the run up last. */
    List<InstanceSnapshot> candidates(@Nullable TrainerShare gaveUp) {
        Comparator<InstanceSnapshot> order = Comparator.comparing((InstanceSnapshot trainer) ->
                        gaveUp != null && trainer.instanceId().equals(gaveUp.instanceId()))
                .thenComparing(trainer -> -room.freeSlots(trainer))
                .thenComparing(InstanceSnapshot::instanceId);
        return ready().stream()
                .filter(trainer -> room.freeSlots(trainer) > 0)
                .sorted(order)
                .toList();
    }

    /** A new worker in these seats, in the order of its nodes. */
    TrainerShare share(List<Seat> chosen) {
        InstanceSnapshot head = chosen.getFirst().instance();
        List<TrainerNode> others = chosen.stream()
                .skip(1)
                .map(seat -> new TrainerNode(
                        seat.instance().instanceId(), seat.instance().incarnation(), seat.gpus()))
                .toList();
        return new TrainerShare(
                head.instanceId(),
                head.incarnation(),
                epoch,
                chosen.getFirst().gpus(),
                others.isEmpty() ? null : head.host(),
                others);
    }

    /** The seats of a worker in the order of its nodes; empty where an instance has not been heard of. */
    Optional<List<Seat>> of(TrainerShare share) {
        List<Seat> seats = new ArrayList<>();
        instances.known(share.instanceId()).ifPresent(instance -> seats.add(new Seat(instance, share.gpus())));
        share.others()
                .forEach(node -> instances
                        .known(node.instanceId())
                        .ifPresent(instance -> seats.add(new Seat(instance, node.gpus()))));
        return seats.size() == 1 + share.others().size() ? Optional.of(seats) : Optional.empty();
    }

    /** What the run waits for, without figures that change but the number of instances. */
    String lacking() {
        String backend = plan().backend().name().toLowerCase(Locale.ROOT);
        String gpus = gpusPerNode() == 0 ? "" : " and " + gpusPerNode() + " free GPUs";
        if (nodes() == 1) {
            return "waits for a trainer instance with a free slot%s (backend %s)".formatted(gpus, backend);
        }
        int there = ready().size();
        return "waits for %d trainer instances with a free slot%s (backend %s), one for each node of the worker; there %s"
                .formatted(nodes(), gpus, backend, there == 1 ? "is 1" : "are " + there);
    }

    /** Whether there are fewer instances than the worker has nodes, whatever other runs hold. */
    boolean lacksNodes() {
        return nodes() > 1 && ready().size() < nodes();
    }

    /** Whether it would be served if other runs gave back what they hold. */
    boolean wouldFit() {
        return ready().stream()
                        .filter(trainer -> trainer.gpus() == 0 || trainer.gpus() >= gpusPerNode())
                        .count()
                >= nodes();
    }

    private List<InstanceSnapshot> ready() {
        return instances.ready(Role.TRAINER, plan().backend(), now);
    }

    private Optional<List<Integer>> gpus(InstanceSnapshot trainer) {
        return room.gpus(trainer, List.of(), gpusPerNode());
    }

    /** Nodes of the worker; a run that trains nothing has a trainer, but no worker and so no GPUs. */
    int nodes() {
        return trains() ? plan().training().nodes(planned().request().cluster().gpusPerNode()) : 1;
    }

    private boolean trains() {
        return RunKind.of(planned().request()).trains();
    }

    int gpusPerNode() {
        Plan.TrainingPlan training = plan().training();
        return training.gpus() == 0 || !trains()
                ? 0
                : training.ranksPerNode(planned().request().cluster().gpusPerNode());
    }

    private Plan plan() {
        return planned().plan();
    }

    private RunPlanned planned() {
        return Objects.requireNonNull(run.accepted()).event();
    }
}
