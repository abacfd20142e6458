package dev.sluice.domain.run;

import dev.sluice.domain.run.QueueRules.Quota;
import dev.sluice.events.RunEvent.RunPlanned;
import dev.sluice.events.TrainingRequest;
import java.time.Duration;
import java.time.Instant;
import java.util.Comparator;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.function.ToIntFunction;

/**
 * The order in which runs are given instances: higher priority first, then as they were asked for. Who waits gains priority
 * with time, and nobody overtakes a run before it that waits for the same backend: so every run that fits is served in the
 * end. A run keeps what it has until it ends; a higher priority takes nothing from it.
 */
record RunQueue(Runs runs, QueueRules rules, Instant now) {
    /** Runs that have not ended, first who comes first. */
    List<Run> order() {
        return runs.all().stream()
                .filter(run -> run.accepted() != null && !run.phase().ended())
                .sorted(Comparator.comparingLong(this::priority).reversed())
                .toList();
    }

    /** Its own priority and one for each span of ageing. */
    private long priority(Run run) {
        Instant accepted = Objects.requireNonNull(run.accepted()).at();
        long aged = Math.max(0, Duration.between(accepted, now).dividedBy(rules.ageing()));
        return request(run).scheduling().priority() + aged;
    }

    /** Place among the runs that wait, from 1. */
    int position(Run run) {
        List<String> waiting = order().stream()
                .filter(other -> isWaiting(other) || other.runId().equals(run.runId()))
                .map(Run::runId)
                .toList();
        return waiting.indexOf(run.runId()) + 1;
    }

    static boolean isWaiting(Run run) {
        return run.phase() == RunPhase.PLANNED || run.phase() == RunPhase.QUEUED;
    }

    /** Why its owner's quota keeps a run without instances waiting, if it does. */
    Optional<String> quotaObjection(Run run) {
        String owner = request(run).scheduling().owner();
        return rules.quotaOf(owner).flatMap(quota -> objection(run, owner, quota));
    }

    private Optional<String> objection(Run run, String owner, Quota quota) {
        return over(run, owner, quota.runs(), other -> 1, "run")
                .or(() -> over(run, owner, quota.engines(), RunQueue::engines, "engine"))
                .or(() -> over(run, owner, quota.gpus(), RunQueue::gpus, "GPU"));
    }

    private Optional<String> over(Run run, String owner, OptionalInt most, ToIntFunction<Run> amount, String unit) {
        int wanted = amount.applyAsInt(run);
        if (most.isEmpty() || wanted == 0) {
            return Optional.empty();
        }
        int held = runs.all().stream()
                .filter(other -> !other.runId().equals(run.runId()))
                .filter(other -> !other.phase().ended() && other.service() != null)
                .filter(other -> owner.equals(request(other).scheduling().owner()))
                .mapToInt(amount)
                .sum();
        String units = most.getAsInt() == 1 ? unit : unit + "s";
        if (wanted > most.getAsInt()) {
            return Optional.of("needs %d %ss, and the quota of %s is %d: it will never begin unless that is raised"
                    .formatted(wanted, unit, owner, most.getAsInt()));
        }
        return held + wanted > most.getAsInt()
                ? Optional.of("waits for other runs of %s to end: its quota is %d %s at once"
                        .formatted(owner, most.getAsInt(), units))
                : Optional.empty();
    }

    private static int engines(Run run) {
        return planned(run).plan().rollout().engines();
    }

    private static int gpus(Run run) {
        return QueueRules.gpus(planned(run).plan());
    }

    private static TrainingRequest request(Run run) {
        return planned(run).request();
    }

    private static RunPlanned planned(Run run) {
        return Objects.requireNonNull(run.accepted()).event();
    }
}
