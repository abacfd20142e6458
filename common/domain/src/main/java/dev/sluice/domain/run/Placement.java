package dev.sluice.domain.run;

import dev.sluice.events.InstanceSnapshot;
import dev.sluice.events.InstanceSnapshot.Role;
import dev.sluice.events.Plan;
import dev.sluice.events.RunEvent.RolloutShare;
import dev.sluice.events.RunEvent.RunAssigned;
import dev.sluice.events.RunEvent.TrainerShare;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Chooses instances for a run. What serves well stays; what is lost is replaced; missing engines are added where there
 * is room, one after the other to the instance with the fewest; so are more than planned, up to {@code rollout.maxEngines}.
 *
 * @param runs all runs, to know which slots are taken
 */
record Placement(Run run, Runs runs, Instances instances, Instant now) {

    /** What to do with the instances of a run. */
    sealed interface Choice {
        record Keep() implements Choice {}

        record Assign(RunAssigned assignment) implements Choice {}

        /** @param reason without figures that change, so that it is told once */
        record Wait(String reason) implements Choice {}
    }

    /** @param trainerGaveUp the assigned trainer's process lives, but has given this run up */
    Choice choose(boolean trainerGaveUp) {
        List<String> losses = losses(trainerGaveUp);
        TrainerShare trainer = trainer(trainerGaveUp);
        List<RolloutShare> rollout = rollout();
        Run.Service service = run.service();
        if (trainer == null || rollout.isEmpty()) {
            String missing = trainer == null ? "a trainer instance" : "a rollout instance";
            String because = losses.isEmpty() ? "" : String.join(", ", losses) + "; ";
            return new Choice.Wait("%swaits for %s with a free slot (backend %s)"
                    .formatted(because, missing, plan().backend().name().toLowerCase(Locale.ROOT)));
        }
        boolean same = service != null
                && trainer.equals(service.assignment().trainer())
                && rollout.equals(service.assignment().rollout());
        if (same && run.phase() != RunPhase.QUEUED) {
            return new Choice.Keep();
        }
        return new Choice.Assign(
                new RunAssigned(run.runId(), nextEpoch(), trainer, rollout, reason(losses, engines(rollout))));
    }

    private String reason(List<String> losses, int engines) {
        if (run.service() == null) {
            return "instances are free";
        }
        if (!losses.isEmpty()) {
            return String.join(", ", losses);
        }
        if (run.phase() == RunPhase.QUEUED) {
            return "instances are back";
        }
        return engines >= engines(run.service().assignment().rollout())
                ? "there is room for missing engines"
                : "another run waits for engines";
    }

    private Plan plan() {
        return Objects.requireNonNull(run.accepted()).event().plan();
    }

    private int nextEpoch() {
        return run.service() == null ? 1 : run.service().assignment().epoch() + 1;
    }

    private List<String> losses(boolean trainerGaveUp) {
        List<String> losses = new ArrayList<>();
        if (run.service() != null) {
            RunAssigned current = run.service().assignment();
            TrainerShare trainer = current.trainer();
            instances.lost(trainer.instanceId(), trainer.incarnation(), now).ifPresent(losses::add);
            if (trainerGaveUp && losses.isEmpty()) {
                losses.add(trainer.instanceId() + " gave the run up");
            }
            current.rollout()
                    .forEach(share -> instances
                            .lost(share.instanceId(), share.incarnation(), now)
                            .ifPresent(losses::add));
        }
        return losses;
    }

    private @Nullable TrainerShare trainer(boolean gaveUp) {
        TrainerShare current =
                run.service() == null ? null : run.service().assignment().trainer();
        if (current != null
                && !gaveUp
                && instances
                        .lost(current.instanceId(), current.incarnation(), now)
                        .isEmpty()) {
            return current;
        }
        // A trainer that gave up is asked again only where there is no other.
        Comparator<InstanceSnapshot> order = Comparator.comparing((InstanceSnapshot trainer) ->
                        gaveUp && current != null && trainer.instanceId().equals(current.instanceId()))
                .thenComparing(trainer -> -freeSlots(trainer))
                .thenComparing(InstanceSnapshot::instanceId);
        Optional<InstanceSnapshot> chosen = instances.ready(Role.TRAINER, plan().backend(), now).stream()
                .filter(trainer -> freeSlots(trainer) > 0)
                .min(order);
        return chosen.map(trainer -> new TrainerShare(trainer.instanceId(), trainer.incarnation(), nextEpoch()))
                .orElse(null);
    }

    private List<RolloutShare> rollout() {
        TreeMap<String, RolloutShare> shares = new TreeMap<>();
        if (run.service() != null) {
            run.service().assignment().rollout().stream()
                    .filter(share -> instances
                            .lost(share.instanceId(), share.incarnation(), now)
                            .isEmpty())
                    .forEach(share -> shares.put(share.instanceId(), share));
        }
        List<InstanceSnapshot> candidates = instances.ready(Role.ROLLOUT, plan().backend(), now);
        int missing = enginesWanted(shares, candidates) - engines(shares.values());
        for (int i = 0; i < missing; i++) {
            Optional<InstanceSnapshot> roomiest = candidates.stream()
                    .filter(candidate -> freeSlots(candidate) > enginesOn(shares, candidate))
                    .min(Comparator.comparingInt((InstanceSnapshot candidate) -> enginesOn(shares, candidate))
                            .thenComparing(InstanceSnapshot::instanceId));
            if (roomiest.isEmpty()) {
                break;
            }
            InstanceSnapshot instance = roomiest.get();
            int engines = enginesOn(shares, instance) + 1;
            shares.put(
                    instance.instanceId(),
                    new RolloutShare(instance.instanceId(), instance.incarnation(), engines, List.of()));
        }
        if (missing < 0) {
            giveUpOne(
                    shares); // a run that waits needs one to begin; the next decision gives up another if it still does
        }
        return shares.values().stream().collect(Collectors.toList());
    }

    private static void giveUpOne(TreeMap<String, RolloutShare> shares) {
        RolloutShare last = shares.pollLastEntry().getValue();
        if (last.engines() > 1) {
            shares.put(
                    last.instanceId(),
                    new RolloutShare(last.instanceId(), last.incarnation(), last.engines() - 1, List.of()));
        }
    }

    /**
     * The plan's engines; more where the run takes what later instances offer. Where another run waits it takes no more, and
     * gives one up if that is what the other waits for.
     */
    private int enginesWanted(Map<String, RolloutShare> shares, List<InstanceSnapshot> candidates) {
        int planned = plan().rollout().engines();
        boolean anotherWaits = runs.all().stream()
                .anyMatch(other -> !other.runId().equals(run.runId()) && other.phase() == RunPhase.QUEUED);
        if (!anotherWaits) {
            int most = Objects.requireNonNull(run.accepted())
                    .event()
                    .request()
                    .rollout()
                    .maxEngines();
            return Math.max(planned, most);
        }
        boolean full = candidates.stream().noneMatch(candidate -> freeSlots(candidate) > enginesOn(shares, candidate));
        return Math.max(planned, engines(shares.values()) - (full ? 1 : 0));
    }

    private static int engines(Collection<RolloutShare> shares) {
        return shares.stream().mapToInt(RolloutShare::engines).sum();
    }

    private static int enginesOn(Map<String, RolloutShare> shares, InstanceSnapshot instance) {
        RolloutShare share = shares.get(instance.instanceId());
        return share == null ? 0 : share.engines();
    }

    /** Slots of a process that no other run holds. */
    private int freeSlots(InstanceSnapshot instance) {
        return instance.slots()
                - runs.all().stream()
                        .filter(other -> !other.runId().equals(run.runId()))
                        .filter(other -> !other.phase().ended() && other.service() != null)
                        .mapToInt(other -> held(other.service().assignment(), instance))
                        .sum();
    }

    private static int held(RunAssigned assignment, InstanceSnapshot instance) {
        TrainerShare trainer = assignment.trainer();
        boolean trains = trainer.instanceId().equals(instance.instanceId())
                && trainer.incarnation().equals(instance.incarnation());
        return assignment.rollout().stream()
                        .filter(share -> share.instanceId().equals(instance.instanceId()))
                        .filter(share -> share.incarnation().equals(instance.incarnation()))
                        .mapToInt(RolloutShare::engines)
                        .sum()
                + (trains ? 1 : 0);
    }
}
