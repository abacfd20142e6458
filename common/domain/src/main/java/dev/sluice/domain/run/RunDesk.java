package dev.sluice.domain.run;

import dev.sluice.events.Backend;
import dev.sluice.events.CheckpointEvent;
import dev.sluice.events.EngineEvent;
import dev.sluice.events.Event;
import dev.sluice.events.InstanceSnapshot;
import dev.sluice.events.Problem;
import dev.sluice.events.RunEvent;
import dev.sluice.events.RunEvent.RunPlanned;
import dev.sluice.events.RunEvent.RunRejected;
import dev.sluice.events.RunEvent.RunStopping;
import dev.sluice.events.TrainingEvent;
import dev.sluice.events.TrainingRequest;
import java.time.Instant;
import java.util.Collection;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * The planner's rules over all runs: {@code answer}, {@code stop} and {@code next} decide and change nothing; {@link
 * #apply} takes what was appended to the own log; {@code observe} takes what others report. Not for several threads.
 */
public final class RunDesk {
    private final Runs runs = new Runs();
    private final Instances instances = new Instances();
    private final Map<String, RunConditions> conditions = new HashMap<>();
    private final Deadlines deadlines;
    private final QueueRules rules;

    public RunDesk(Deadlines deadlines, QueueRules rules) {
        this.deadlines = deadlines;
        this.rules = rules;
    }

    /** Takes an event of the own log. */
    public void apply(RunEvent event, Instant at) {
        runs.apply(event, at);
        if (runs.get(event.runId()).phase().ended()) {
            conditions.remove(event.runId());
        }
    }

    /**
     * Takes what others report.
     *
     * @param at when it was written, or for a live heartbeat when it was read
     * @return whether a decision could depend on it
     */
    public boolean observe(Event event, Instant at) {
        return switch (event) {
            case InstanceSnapshot snapshot -> instances.observe(snapshot, at);
            case CheckpointEvent checkpoint ->
                live(event).map(run -> run.observe(checkpoint, at)).orElse(false);
            case EngineEvent engine ->
                live(event).map(run -> run.observe(engine)).orElse(false);
            case TrainingEvent training ->
                live(event).map(run -> run.observe(training, at)).orElse(false);
            default -> false;
        };
    }

    private Optional<RunConditions> live(Event event) {
        Run run = runs.get(event.runId());
        // A run may be unknown yet: another's topic can be ahead of the own log.
        return run != null && run.phase().ended()
                ? Optional.empty()
                : Optional.of(conditions.computeIfAbsent(event.runId(), runId -> new RunConditions()));
    }

    /** The answer to a request that can run; empty where the same request was accepted before. */
    public Optional<RunEvent> answer(RunPlanned planned) {
        Run run = runs.get(planned.runId());
        if (run == null || run.accepted() == null) {
            return Optional.of(planned);
        }
        return run.accepted().event().requestSha256().equals(planned.requestSha256())
                ? Optional.empty()
                : Optional.of(new RunRejected(planned.runId(), List.of(conflict(planned.runId()))));
    }

    /** Whether this very request was accepted under this id. */
    public boolean accepted(String runId, String requestSha256) {
        Run run = runs.get(runId);
        return run != null
                && run.accepted() != null
                && run.accepted().event().requestSha256().equals(requestSha256);
    }

    /** Whether another request was accepted under this id. */
    public boolean taken(String runId, String requestSha256) {
        Run run = runs.get(runId);
        return run != null && run.accepted() != null && !accepted(runId, requestSha256);
    }

    /** What a second request under an accepted id is told. */
    public static Problem conflict(String runId) {
        return Problem.error(
                "request.conflict",
                "runId",
                "run %s exists already with another request; it goes on untouched".formatted(runId),
                "choose another runId");
    }

    /** What speaks against a request that goes on from another run; nothing where it names none. */
    public List<Problem> objectionsToResuming(TrainingRequest later) {
        String earlier = later.checkpoints().resumeFrom();
        return earlier == null ? List.of() : ResumeRules.problems(runs.get(earlier), later);
    }

    /** What a client's wish to end a run leads to; empty where there is nothing to end. */
    public Optional<RunEvent> stop(String runId, String reason) {
        Run run = runs.get(runId);
        boolean stops = run != null && run.phase().next(RunPhase.Move.STOP).isPresent();
        return stops ? Optional.of(new RunStopping(runId, reason)) : Optional.empty();
    }

    /**
     * The next event that is due for any run at this time; to be asked again after it was applied, and at least twice a
     * second, since a longer pause shows that this process was held up and knows nothing of the others' heartbeats.
     */
    public Optional<RunEvent> next(Instant now) {
        instances.tick(now);
        RunQueue queue = new RunQueue(runs, rules, now);
        Map<Backend, Run> ahead = new EnumMap<>(Backend.class);
        for (Run run : queue.order()) {
            Backend backend =
                    Objects.requireNonNull(run.accepted()).event().plan().backend();
            RunConditions known = conditions.getOrDefault(run.runId(), new RunConditions());
            Lifecycle life = new Lifecycle(run, known, deadlines, queue, ahead.get(backend), now);
            Optional<RunEvent> next = life.next(runs, instances);
            if (next.isPresent()) {
                return next;
            }
            if (life.standsInLine(runs, instances)) {
                ahead.putIfAbsent(backend, run);
            }
        }
        return Optional.empty();
    }

    public Collection<Run> runs() {
        return runs.all();
    }

    public @Nullable Run run(String runId) {
        return runs.get(runId);
    }

    /** How many instances with GPUs take work now. */
    public int gpuInstances(Instant now) {
        return instances.readyWithGpus(now);
    }
}
