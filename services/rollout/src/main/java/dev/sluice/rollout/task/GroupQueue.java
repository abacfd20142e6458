package dev.sluice.rollout.task;

import dev.sluice.events.GroupTask.GroupRequested;
import dev.sluice.events.GroupTask.GroupWithdrawn;
import dev.sluice.rollout.core.Core;
import dev.sluice.rollout.engine.Engine;
import dev.sluice.rollout.engine.EnginePool;
import dev.sluice.rollout.engine.EngineState;
import dev.sluice.rollout.sampling.GroupSampler;
import dev.sluice.rollout.sampling.GroupSampler.SampledBatch;
import dev.sluice.rollout.sampling.GroupSampler.SamplingCall;
import dev.sluice.rollout.sampling.SampleOutcome;
import dev.sluice.rollout.sampling.SamplingFailure;
import dev.sluice.rollout.weights.WeightVersions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.UUID;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The groups of one run that this instance has taken, in the order in which they came. Every one is answered: sampled, or
 * abandoned with a reason by its deadline. Used on the core's thread.
 */
public final class GroupQueue {
    private static final Logger LOG = LoggerFactory.getLogger(GroupQueue.class);
    private static final int MAX_GROUPS = 4096;
    /** How long an engine may take to give back what was aborted. */
    private static final Duration ABORT_WAIT = Duration.ofSeconds(2);

    /**
     * What a queue works with.
     *
     * @param sampler opens the run's tokenizer at its first call, which may block and fail
     */
    public record Surroundings(
            Core core,
            EnginePool pool,
            WeightVersions weights,
            Callable<GroupSampler> sampler,
            GroupAnswers answers,
            GroupFigures figures) {}

    private final Core core;
    private final EnginePool pool;
    private final WeightVersions weights;
    private final Callable<GroupSampler> sampler;
    private final GroupAnswers answers;
    private final GroupFigures figures;
    private final Map<GroupKey, GroupWork> works = new LinkedHashMap<>();
    private @Nullable String closing;
    private final CompletableFuture<Void> empty = new CompletableFuture<>();

    public GroupQueue(Surroundings around) {
        this.core = around.core();
        this.pool = around.pool();
        this.weights = around.weights();
        this.sampler = around.sampler();
        this.answers = around.answers();
        this.figures = around.figures();
    }

    /** Takes a task, or another attempt of one that it has. */
    public void accept(GroupRequested task, UUID cause) {
        GroupKey key = new GroupKey(task.groupId(), task.round());
        GroupWork known = works.get(key);
        if (known != null) {
            if (known.ending() == null && known.renew(task, cause)) {
                answers.started(known);
                watchDeadline(known);
                pump();
            }
            return;
        }
        String refusal = closing != null
                ? closing
                : works.size() >= MAX_GROUPS ? "the instance has " + MAX_GROUPS + " groups already" : null;
        if (refusal != null) {
            answers.refuse(task, cause, refusal);
            return;
        }
        GroupWork work = new GroupWork(task, cause, core.now());
        works.put(key, work);
        answers.started(work);
        watchDeadline(work);
        pump();
    }

    private void watchDeadline(GroupWork work) {
        int attempt = work.task().attempt();
        GroupKey key = work.key();
        core.after(Duration.between(core.now(), work.task().deadline()), () -> {
            GroupWork late = works.get(key);
            if (late != null && late.task().attempt() == attempt) {
                end(late, "its deadline passed with %s; %s".formatted(progress(late), situation(late)));
            }
        });
    }

    /** The trainer no longer wants a group. */
    public void withdraw(GroupWithdrawn event) {
        GroupWork work = works.get(new GroupKey(event.groupId(), event.round()));
        if (work != null) {
            end(work, "withdrawn: " + event.reason());
        }
    }

    /** Whether a group that only this version may sample runs or waits. */
    public boolean pins(int version) {
        return works.values().stream()
                .anyMatch(work -> work.ending() == null
                        && !work.answered()
                        && Objects.equals(work.task().exactWeightVersion(), version));
    }

    /** Gives waiting samples to engines that may and can take them. */
    public void pump() {
        for (GroupWork work : List.copyOf(works.values())) {
            List<Integer> pending = work.pending();
            if (work.ending() != null || work.answered() || pending.isEmpty()) {
                continue;
            }
            List<Admission.Candidate> engines = candidates();
            switch (Admission.choose(work.bound(), pending.size(), engines)) {
                case Admission.Decision.To to -> dispatch(work, engine(to.engineId()), pending);
                case Admission.Decision.NoVersion none -> endIfVersionIsGone(work);
                case Admission.Decision.NoRoom full -> {
                    count();
                    return;
                }
            }
        }
        count();
    }

    private void count() {
        int idle = (int)
                works.values().stream().filter(work -> work.running().isEmpty()).count();
        figures.waiting(works.size(), idle);
    }

    private List<Admission.Candidate> candidates() {
        List<Admission.Candidate> candidates = new ArrayList<>();
        pool.engines().forEach(engine -> {
            if (engine.state() instanceof EngineState.Ready ready) {
                candidates.add(new Admission.Candidate(engine.id(), ready.version(), engine.capacity(), engine.free()));
            }
        });
        return candidates;
    }

    private Engine engine(String engineId) {
        return pool.engines()
                .filter(engine -> engine.id().equals(engineId))
                .findFirst()
                .orElseThrow();
    }

    /** Engines only go to the newest version: an older one that none holds never comes back. */
    private void endIfVersionIsGone(GroupWork work) {
        Integer exact = work.task().exactWeightVersion();
        if (exact != null
                && exact < weights.newestVersion()
                && pool.engines().noneMatch(engine -> engine.state().holds(exact))) {
            end(work, "no engine holds weight version " + exact + " any more; " + situation(work));
        }
    }

    private void dispatch(GroupWork work, Engine engine, List<Integer> indexes) {
        int version = ((EngineState.Ready) engine.state()).version();
        GroupBatch batch = new GroupBatch(engine, version, indexes, work.nextRidPrefix());
        engine.dispatched(indexes.size());
        work.running().add(batch);
        Duration left = Duration.between(core.now(), work.task().deadline());
        SamplingCall call =
                new SamplingCall(work.task(), indexes, batch.ridPrefix, engine.id(), version, left.plus(ABORT_WAIT));
        core.background(
                "sample-" + work.task().groupId(),
                () -> sampler.call().sample(engine.api(), call),
                (sampled, failure) -> returned(work, batch, sampled, failure));
    }

    private void returned(
            GroupWork work, GroupBatch batch, @Nullable SampledBatch sampled, @Nullable Throwable failure) {
        if (!batch.forgotten) {
            batch.engine.returned(batch.indexes.size());
            work.running().remove(batch);
            if (sampled != null) {
                batch.engine.replied();
                work.promptTokens(sampled.promptTokens());
                sampled.outcomes().forEach(outcome -> take(work, batch, outcome));
            } else {
                failed(work, batch, SamplingFailure.of(Objects.requireNonNull(failure)));
            }
            settle(work);
        }
        pool.reconcile();
        pump();
    }

    private void take(GroupWork work, GroupBatch batch, SampleOutcome outcome) {
        if (outcome instanceof SampleOutcome.Refused refused) {
            figures.refused();
            LOG.warn("refused a sample groupId={} error={}", work.task().groupId(), refused.reason());
        }
        work.take(outcome, batch.engine.id());
    }

    private void failed(GroupWork work, GroupBatch batch, SamplingFailure failure) {
        LOG.warn(
                "a call brought no samples groupId={} engineId={} error={}",
                work.task().groupId(),
                batch.engine.id(),
                failure.reason());
        switch (failure) {
            case SamplingFailure.Unreachable unreachable -> pool.suspect(batch.engine, unreachable.reason());
            case SamplingFailure.Faulty faulty -> {
                pool.suspect(batch.engine, faulty.reason());
                batch.indexes.forEach(index -> work.refuse(index, batch.engine.id(), faulty.reason()));
            }
            case SamplingFailure.Hopeless hopeless -> end(work, hopeless.reason());
        }
    }

    /** An engine is gone: what ran on it waits for another one. What it had generated is unknown and counts as nothing. */
    public void lost(Engine engine) {
        for (GroupWork work : List.copyOf(works.values())) {
            for (GroupBatch batch : List.copyOf(work.running())) {
                if (batch.engine == engine) {
                    batch.forgotten = true;
                    work.running().remove(batch);
                    settle(work);
                }
            }
        }
        pump();
    }

    private void end(GroupWork work, String reason) {
        if (work.ending() != null || work.answered()) {
            return;
        }
        work.endBecause(reason);
        for (GroupBatch batch : work.running()) {
            core.background("abort-" + batch.ridPrefix, () -> abort(batch), (done, failure) -> {});
        }
        core.after(ABORT_WAIT, () -> {
            work.running().forEach(batch -> {
                batch.forgotten = true;
                batch.engine.returned(batch.indexes.size());
            });
            work.running().clear();
            settle(work);
        });
        settle(work);
    }

    private static Void abort(GroupBatch batch) {
        batch.engine.api().abort(batch.ridPrefix);
        return null;
    }

    private void settle(GroupWork work) {
        if (work.answered()) {
            return;
        }
        if (work.ending() != null && work.running().isEmpty()) {
            answers.abandon(work, work.ending(), () -> remove(work));
        } else if (work.ending() == null && work.complete()) {
            answers.answer(work, () -> remove(work));
        }
    }

    private void remove(GroupWork work) {
        works.remove(work.key());
        count();
        if (closing != null && works.isEmpty()) {
            empty.complete(null);
        }
    }

    /** Takes no more tasks; what waits is abandoned, what runs may finish for a while; ends when every group is answered. */
    public CompletableFuture<Void> close(String reason, Duration mayFinish) {
        closing = reason;
        for (GroupWork work : List.copyOf(works.values())) {
            if (work.running().isEmpty() || mayFinish.isZero()) {
                end(work, reason);
            }
        }
        if (works.isEmpty()) {
            empty.complete(null);
        } else if (!mayFinish.isZero()) {
            core.after(mayFinish, () -> List.copyOf(works.values()).forEach(work -> end(work, reason)));
        }
        return empty;
    }

    private static String progress(GroupWork work) {
        int running =
                work.running().stream().mapToInt(batch -> batch.indexes.size()).sum();
        return "%d of %d samples done and %d running"
                .formatted(work.finished(), work.task().samples(), running);
    }

    private String situation(GroupWork work) {
        String engines = pool.engines()
                .map(engine -> engine.id() + " " + engine.state() + " with " + engine.free() + " free")
                .collect(Collectors.joining(", "));
        return "it needs %s; newest is %d%s; engines: %s"
                .formatted(
                        work.bound(),
                        weights.newestVersion(),
                        weights.trouble().map(trouble -> " (" + trouble + ")").orElse(""),
                        engines.isEmpty() ? "none" : engines);
    }
}
