package dev.sluice.domain.run;

import dev.sluice.events.InstanceSnapshot;
import dev.sluice.events.RunEvent.RolloutShare;
import dev.sluice.events.RunEvent.RunAssigned;
import dev.sluice.events.RunEvent.TrainerNode;
import dev.sluice.events.RunEvent.TrainerShare;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/** What the other runs leave of an instance's process. */
record Room(Run run, Runs runs, Instances instances) {
    /** Slots that no other run holds. */
    int freeSlots(InstanceSnapshot instance) {
        return instance.slots()
                - others().mapToInt(other -> held(other.service().assignment(), instance))
                        .sum();
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
        Set<Integer> held = held(instance);
        held.addAll(taken);
        List<Integer> free = IntStream.range(0, instance.gpus())
                .filter(gpu -> !held.contains(gpu))
                .limit(wanted)
                .boxed()
                .toList();
        return free.size() < wanted ? Optional.empty() : Optional.of(free);
    }

    /**
     * GPUs that two instances of a host have in common and that no other run holds in either.
     *
     * @return empty where there are not so many; none where one of them does not say what it has
     */
    Optional<List<Integer>> shared(InstanceSnapshot one, InstanceSnapshot other, int wanted) {
        if (one.gpus() == 0 || other.gpus() == 0) {
            return Optional.of(List.of());
        }
        Set<Integer> taken = held(other);
        IntStream.range(other.gpus(), one.gpus()).forEach(taken::add);
        return gpus(one, taken, wanted);
    }

    /** Whether an instance has these GPUs and no other run holds one of them. */
    boolean isFree(InstanceSnapshot instance, List<Integer> gpus) {
        Set<Integer> held = held(instance);
        return gpus.stream().allMatch(gpu -> gpu < instance.gpus() && !held.contains(gpu));
    }

    /** What other runs hold there; of one whose engines and training take turns, all that it has on the host. */
    private Set<Integer> held(InstanceSnapshot instance) {
        Set<Integer> held = new HashSet<>();
        others().forEach(other -> {
            boolean colocated =
                    Objects.requireNonNull(other.accepted()).event().plan().colocated();
            RunAssigned assignment = Objects.requireNonNull(other.service()).assignment();
            assignment.rollout().stream()
                    .filter(share -> is(share.instanceId(), share.incarnation(), instance)
                            || colocated && isOn(share.instanceId(), instance.host()))
                    .forEach(share -> held.addAll(share.gpus()));
            seats(assignment)
                    .filter(seat -> is(seat.instanceId(), seat.incarnation(), instance)
                            || colocated && isOn(seat.instanceId(), instance.host()))
                    .forEach(seat -> held.addAll(seat.gpus()));
        });
        return held;
    }

    private static boolean is(String instanceId, String incarnation, InstanceSnapshot instance) {
        return instanceId.equals(instance.instanceId()) && incarnation.equals(instance.incarnation());
    }

    private boolean isOn(String instanceId, String host) {
        return instances
                .known(instanceId)
                .filter(known -> known.host().equals(host))
                .isPresent();
    }

    private Stream<Run> others() {
        return runs.all().stream()
                .filter(other -> !other.runId().equals(run.runId()))
                .filter(other -> !other.phase().ended() && other.service() != null);
    }

    private static int held(RunAssigned assignment, InstanceSnapshot instance) {
        int engines = assignment.rollout().stream()
                .filter(share -> is(share.instanceId(), share.incarnation(), instance))
                .mapToInt(RolloutShare::engines)
                .sum();
        long seats = seats(assignment)
                .filter(seat -> is(seat.instanceId(), seat.incarnation(), instance))
                .count();
        return engines + (int) seats;
    }

    /** What instances give to the run's worker. */
    private static Stream<TrainerNode> seats(RunAssigned assignment) {
        TrainerShare head = assignment.trainer();
        return Stream.concat(
                Stream.of(new TrainerNode(head.instanceId(), head.incarnation(), head.gpus())), head.others().stream());
    }
}
