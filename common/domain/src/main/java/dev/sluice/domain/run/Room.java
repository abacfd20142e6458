package dev.sluice.domain.run;

import dev.sluice.events.InstanceSnapshot;
import dev.sluice.events.RunEvent.RolloutShare;
import dev.sluice.events.RunEvent.RunAssigned;
import dev.sluice.events.RunEvent.TrainerNode;
import dev.sluice.events.RunEvent.TrainerShare;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/** What the other runs leave of an instance's process. */
record Room(Run run, Runs runs) {
    /** Slots that no other run holds. */
    int freeSlots(InstanceSnapshot instance) {
        return instance.slots()
                - others().mapToInt(assignment -> held(assignment, instance)).sum();
    }

    /**
     * GPUs that neither another run nor this one holds.
     *
     * @param taken what this run holds there already
     * @param wanted how many; none where none are needed or the instance does not say what it has
     * @return empty where there are not so many
     */
    Optional<List<Integer>> gpus(InstanceSnapshot instance, Collection<Integer> taken, int wanted) {
        if (wanted == 0 || instance.gpus() == 0) {
            return Optional.of(List.of());
        }
        Set<Integer> held = new HashSet<>(taken);
        others().forEach(assignment -> {
            shares(assignment, instance).forEach(share -> held.addAll(share.gpus()));
            seats(assignment, instance).forEach(seat -> held.addAll(seat.gpus()));
        });
        List<Integer> free = IntStream.range(0, instance.gpus())
                .filter(gpu -> !held.contains(gpu))
                .limit(wanted)
                .boxed()
                .toList();
        return free.size() < wanted ? Optional.empty() : Optional.of(free);
    }

    private Stream<RunAssigned> others() {
        return runs.all().stream()
                .filter(other -> !other.runId().equals(run.runId()))
                .filter(other -> !other.phase().ended() && other.service() != null)
                .map(other -> other.service().assignment());
    }

    private static int held(RunAssigned assignment, InstanceSnapshot instance) {
        return shares(assignment, instance).mapToInt(RolloutShare::engines).sum()
                + (int) seats(assignment, instance).count();
    }

    /** What the instance gives to the run's worker. */
    private static Stream<TrainerNode> seats(RunAssigned assignment, InstanceSnapshot instance) {
        TrainerShare head = assignment.trainer();
        return Stream.concat(
                        Stream.of(new TrainerNode(head.instanceId(), head.incarnation(), head.gpus())),
                        head.others().stream())
                .filter(seat -> seat.instanceId().equals(instance.instanceId()))
                .filter(seat -> seat.incarnation().equals(instance.incarnation()));
    }

    private static Stream<RolloutShare> shares(RunAssigned assignment, InstanceSnapshot instance) {
        return assignment.rollout().stream()
                .filter(share -> share.instanceId().equals(instance.instanceId()))
                .filter(share -> share.incarnation().equals(instance.incarnation()));
    }
}
