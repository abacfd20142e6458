package dev.sluice.domain.run;

import dev.sluice.events.InstanceSnapshot;
import dev.sluice.events.RunEvent.RolloutShare;
import dev.sluice.events.RunEvent.RunAssigned;
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
     * @param wanted how many; none where the engine needs none or the instance does not say what it has
     * @return empty where there are not so many
     */
    Optional<List<Integer>> gpus(InstanceSnapshot instance, Collection<Integer> taken, int wanted) {
        if (wanted == 0 || instance.gpus() == 0) {
            return Optional.of(List.of());
        }
        Set<Integer> held = new HashSet<>(taken);
        others().flatMap(assignment -> shares(assignment, instance)).forEach(share -> held.addAll(share.gpus()));
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
        TrainerShare trainer = assignment.trainer();
        boolean trains = trainer.instanceId().equals(instance.instanceId())
                && trainer.incarnation().equals(instance.incarnation());
        return shares(assignment, instance).mapToInt(RolloutShare::engines).sum() + (trains ? 1 : 0);
    }

    private static Stream<RolloutShare> shares(RunAssigned assignment, InstanceSnapshot instance) {
        return assignment.rollout().stream()
                .filter(share -> share.instanceId().equals(instance.instanceId()))
                .filter(share -> share.incarnation().equals(instance.incarnation()));
    }
}
