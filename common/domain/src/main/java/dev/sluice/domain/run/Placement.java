package dev.sluice.domain.run;

import dev.sluice.domain.run.NodeGroups.Seat;
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
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Chooses instances for a run. What serves well stays; what is lost is replaced; missing engines are added where there
 * is room, one after the other to the instance with the fewest; so are more than planned, up to {@code rollout.maxEngines}.
 * An engine of several nodes takes as many instances at once, or none.
 *
 * @param runs all runs, to know which slots are taken
 * @param queue of these runs
 */
record Placement(Run run, Runs runs, Instances instances, RunQueue queue, Instant now) {

    /** What to do with the instances of a run. */
    sealed interface Choice {
        record Keep() implements Choice {}

        record Assign(RunAssigned assignment) implements Choice {}

        /**
         * @param reason without figures that change, so that it is told once
         * @param lacksNodes whether there are fewer instances than one engine has nodes, whatever other runs hold
         * @param inLine whether it would be served if others gave back what they hold: then nobody overtakes it
         */
        record Wait(String reason, boolean lacksNodes, boolean inLine) implements Choice {}
    }

    /** @param trainerGaveUp the assigned trainer's process lives, but has given this run up */
    Choice choose(boolean trainerGaveUp) {
        List<String> losses = losses(trainerGaveUp);
        if (run.service() == null) {
            Optional<String> quota = queue.quotaObjection(run);
            if (quota.isPresent()) {
                return new Choice.Wait(quota.get(), false, false);
            }
        }
        Found found = plan().colocated() ? together(trainerGaveUp, losses) : apart(trainerGaveUp);
        TrainerShare trainer = found.trainer();
        List<RolloutShare> rollout = found.rollout();
        Run.Service service = run.service();
        if (trainer == null || (rollout.isEmpty() && plan().rollout().engines() > 0)) {
            return plan().colocated() ? waitingForHosts(losses) : waiting(losses, trainer != null);
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

    /** @param trainer absent where there is none */
    private record Found(@Nullable TrainerShare trainer, List<RolloutShare> rollout) {
        private static final Found NOTHING = new Found(null, List.of());
    }

    private Found apart(boolean gaveUp) {
        return new Found(trainer(gaveUp), rollout(candidates(), share -> true));
    }

    /** Where engines and training take turns, they lie on the same hosts. */
    private Found together(boolean gaveUp, List<String> losses) {
        if (plan().training().gpus() > 0) {
            return new SharedHosts(run, room(), instances, seats(), now)
                    .choose(gaveUp, losses.isEmpty())
                    .map(pair -> new Found(pair.trainer(), pair.rollout()))
                    .orElse(Found.NOTHING);
        }
        TrainerShare current =
                run.service() == null ? null : run.service().assignment().trainer();
        if (current != null && !gaveUp && seats().losses(current).isEmpty()) {
            String host = seats().of(current)
                    .map(seats -> seats.getFirst().instance().host())
                    .orElse(null);
            List<RolloutShare> beside = rolloutOn(host);
            if (!beside.isEmpty()) {
                return new Found(current, beside);
            }
        }
        return seats().candidates(gaveUp ? current : null).stream()
                .map(trainer -> new Found(
                        seats().share(List.of(new TrainerSeats.Seat(trainer, List.of()))), rolloutOn(trainer.host())))
                .filter(found -> isEnough(found.rollout()))
                .findFirst()
                .orElse(Found.NOTHING);
    }

    /** Engines stay where they are on the host, or where nothing is known of it yet. */
    private List<RolloutShare> rolloutOn(@Nullable String host) {
        List<InstanceSnapshot> candidates = candidates().stream()
                .filter(candidate -> candidate.host().equals(host))
                .toList();
        return rollout(candidates, share -> host == null || isOn(share, host));
    }

    private boolean isOn(RolloutShare share, String host) {
        return instances
                .known(share.instanceId())
                .filter(known -> !known.host().equals(host))
                .isEmpty();
    }

    /** A run begins with all of its engines, since the worker gets its turn when they have started. */
    private boolean isEnough(List<RolloutShare> rollout) {
        return !rollout.isEmpty()
                && (run.service() != null
                        || engines(rollout) / nodes() >= plan().rollout().engines());
    }

    private Choice waitingForHosts(List<String> losses) {
        String because = losses.isEmpty() ? "" : String.join(", ", losses) + "; ";
        Set<String> trainers = hosts(Role.TRAINER, seats().gpusPerNode());
        Set<String> rollouts = hosts(Role.ROLLOUT, seats().gpusPerNode());
        Set<String> both = new TreeSet<>(trainers);
        both.retainAll(rollouts);
        int wanted = seats().nodes();
        String each = "a trainer and a rollout instance%s (backend %s)"
                .formatted(
                        seats().gpusPerNode() == 0
                                ? ""
                                : ", and %d GPUs that both have free".formatted(seats().gpusPerNode()),
                        plan().backend().name().toLowerCase(Locale.ROOT));
        String lacking = both.isEmpty() && !trainers.isEmpty() && !rollouts.isEmpty()
                ? "; trainers are on %s, rollout instances on %s"
                        .formatted(String.join(", ", trainers), String.join(", ", rollouts))
                : wanted > 1 ? "; there %s".formatted(both.size() == 1 ? "is 1" : "are " + both.size()) : "";
        return new Choice.Wait(
                "%swaits for %s with %s, since its engines and training take turns there%s"
                        .formatted(because, wanted == 1 ? "a host" : wanted + " hosts", each, lacking),
                wanted > 1 && both.size() < wanted,
                both.size() >= wanted);
    }

    /** Hosts with an instance that could serve if no other run held anything. */
    private Set<String> hosts(Role role, int gpus) {
        return instances.ready(role, plan().backend(), now).stream()
                .filter(instance -> instance.gpus() == 0 || instance.gpus() >= gpus)
                .map(InstanceSnapshot::host)
                .collect(Collectors.toCollection(TreeSet::new));
    }

    private Choice waiting(List<String> losses, boolean hasTrainer) {
        String because = losses.isEmpty() ? "" : String.join(", ", losses) + "; ";
        if (!hasTrainer) {
            return new Choice.Wait(because + seats().lacking(), seats().lacksNodes(), seats().wouldFit());
        }
        String backend = plan().backend().name().toLowerCase(Locale.ROOT);
        boolean fits = candidates().stream()
                        .filter(candidate -> candidate.gpus() == 0 || candidate.gpus() >= gpusPerNode())
                        .count()
                >= nodes();
        String gpus = gpusPerNode() == 0 ? "" : " and " + gpusPerNode() + " free GPUs";
        if (nodes() == 1) {
            return new Choice.Wait(
                    "%swaits for a rollout instance with a free slot%s (backend %s)".formatted(because, gpus, backend),
                    false,
                    fits);
        }
        int there = candidates().size();
        return new Choice.Wait(
                "%swaits for %d rollout instances with a free slot%s (backend %s), one for each node of an engine; there %s"
                        .formatted(because, nodes(), gpus, backend, there == 1 ? "is 1" : "are " + there),
                there < nodes(),
                fits);
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
            losses.addAll(seats().losses(current.trainer()));
            if (trainerGaveUp && losses.isEmpty()) {
                losses.add(current.trainer().instanceId() + " gave the run up");
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
        if (current != null && !gaveUp && seats().losses(current).isEmpty()) {
            return current;
        }
        return seats().choose(gaveUp ? current : null);
    }

    private TrainerSeats seats() {
        return new TrainerSeats(run, room(), instances, nextEpoch(), now);
    }

    /**
     * @param candidates instances that may give engines
     * @param stays whether an instance that gives engines may go on doing so
     */
    private List<RolloutShare> rollout(List<InstanceSnapshot> candidates, Predicate<RolloutShare> stays) {
        List<RolloutShare> alive = run.service() == null
                ? List.of()
                : run.service().assignment().rollout().stream()
                        .filter(share -> instances
                                .lost(share.instanceId(), share.incarnation(), now)
                                .isEmpty())
                        .filter(stays)
                        .toList();
        return nodes() > 1 ? enginesOfSeveralNodes(alive, candidates) : enginesOfOneNode(alive, candidates);
    }

    private List<RolloutShare> enginesOfSeveralNodes(List<RolloutShare> alive, List<InstanceSnapshot> candidates) {
        NodeGroups groups = new NodeGroups(nodes(), nextEpoch());
        List<List<RolloutShare>> whole = groups.whole(alive);
        List<Seat> free = candidates.stream()
                .filter(candidate -> whole.stream()
                        .flatMap(List::stream)
                        .noneMatch(share -> share.instanceId().equals(candidate.instanceId())))
                .filter(candidate -> room().freeSlots(candidate) > 0)
                .flatMap(candidate -> room().gpus(candidate, List.of(), gpusPerNode()).stream()
                        .map(gpus -> new Seat(candidate.instanceId(), candidate.incarnation(), gpus)))
                .toList();
        return groups.shares(alive, free, enginesWanted(whole.size(), free.size() < nodes()));
    }

    private List<RolloutShare> enginesOfOneNode(List<RolloutShare> alive, List<InstanceSnapshot> candidates) {
        TreeMap<String, RolloutShare> shares = new TreeMap<>();
        alive.forEach(share -> shares.put(share.instanceId(), share));
        boolean full = candidates.stream().noneMatch(candidate -> takesOneMore(shares, candidate));
        int missing = enginesWanted(engines(shares.values()), full) - engines(shares.values());
        for (int i = 0; i < missing; i++) {
            Optional<InstanceSnapshot> roomiest = candidates.stream()
                    .filter(candidate -> takesOneMore(shares, candidate))
                    .min(Comparator.comparingInt((InstanceSnapshot candidate) -> enginesOn(shares, candidate))
                            .thenComparing(InstanceSnapshot::instanceId));
            if (roomiest.isEmpty()) {
                break;
            }
            InstanceSnapshot instance = roomiest.get();
            List<Integer> gpus = new ArrayList<>(gpusOn(shares, instance));
            gpus.addAll(room().gpus(instance, gpus, gpusPerNode()).orElseThrow());
            int engines = enginesOn(shares, instance) + 1;
            shares.put(
                    instance.instanceId(),
                    new RolloutShare(instance.instanceId(), instance.incarnation(), engines, gpus));
        }
        if (missing < 0) {
            giveUpOne(
                    shares); // a run that waits needs one to begin; the next decision gives up another if it still does
        }
        return List.copyOf(shares.values());
    }

    private boolean takesOneMore(Map<String, RolloutShare> shares, InstanceSnapshot candidate) {
        return room().freeSlots(candidate) > enginesOn(shares, candidate)
                && room().gpus(candidate, gpusOn(shares, candidate), gpusPerNode())
                        .isPresent();
    }

    private static void giveUpOne(TreeMap<String, RolloutShare> shares) {
        RolloutShare last = shares.pollLastEntry().getValue();
        if (last.engines() > 1) {
            shares.put(
                    last.instanceId(),
                    new RolloutShare(
                            last.instanceId(),
                            last.incarnation(),
                            last.engines() - 1,
                            last.gpus().subList(0, last.gpus().size() / last.engines() * (last.engines() - 1))));
        }
    }

    /**
     * The plan's engines; more where the run takes what later instances offer. Where another run waits it takes no more, and
     * gives one up if that is what the other waits for.
     *
     * @param full whether there is room for no further engine
     */
    private int enginesWanted(int engines, boolean full) {
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
        return Math.max(planned, engines - (full ? 1 : 0));
    }

    private List<InstanceSnapshot> candidates() {
        return instances.ready(Role.ROLLOUT, plan().backend(), now);
    }

    private Room room() {
        return new Room(run, runs, instances);
    }

    private int nodes() {
        return plan().rollout().nodesPerEngine();
    }

    private int gpusPerNode() {
        return Math.ceilDiv(plan().rollout().gpusPerEngine(), nodes());
    }

    private static int engines(Collection<RolloutShare> shares) {
        return shares.stream().mapToInt(RolloutShare::engines).sum();
    }

    private static int enginesOn(Map<String, RolloutShare> shares, InstanceSnapshot instance) {
        RolloutShare share = shares.get(instance.instanceId());
        return share == null ? 0 : share.engines();
    }

    private static List<Integer> gpusOn(Map<String, RolloutShare> shares, InstanceSnapshot instance) {
        RolloutShare share = shares.get(instance.instanceId());
        return share == null ? List.of() : share.gpus();
    }
}
