package dev.sluice.rollout.task;

import dev.sluice.events.GroupTask.GroupRequested;
import dev.sluice.events.GroupTask.GroupWithdrawn;
import dev.sluice.rollout.core.Core;
import dev.sluice.rollout.engine.Engine;
import dev.sluice.rollout.engine.EnginePool;
import dev.sluice.rollout.sampling.GroupSampler;
import dev.sluice.rollout.sampling.GroupSampler.SampledBatch;
import dev.sluice.rollout.sampling.SampleOutcome;
import dev.sluice.rollout.sampling.SamplingFailure;
import dev.sluice.rollout.weights.WeightVersions;
import java.time.Duration;
import java.time.Instant;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;
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
    private static final int MAX_SAMPLES = 4096;
    /** How long an engine may take to give back what was aborted. */
    static final Duration ABORT_WAIT = Duration.ofSeconds(2);
    /** Rewards must be there before the deadline: a group without them is a result, a late one is none. */
    private static final Duration ANSWER_WAIT = Duration.ofSeconds(1);

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
            DirectRequests direct,
            GroupAnswers answers,
            GroupFigures figures) {}

    private final Core core;
    private final EnginePool pool;
    private final EngineView engines;
    private final Callable<GroupSampler> sampler;
    private final GroupAnswers answers;
    private final GroupFigures figures;
    private final TurnAsks turns;
    private final GenerateAsks functions;
    private final ScoreAsks scores;
    private final Map<GroupKey, GroupWork> works = new LinkedHashMap<>();
    private final SampledRounds sampled = new SampledRounds();

    private GroupWork.@Nullable Ending closing;
    private final CompletableFuture<Void> empty = new CompletableFuture<>();

    public GroupQueue(Surroundings around) {
        this.core = around.core();
        this.pool = around.pool();
        this.engines = new EngineView(around.pool(), around.weights());
        this.sampler = around.sampler();
        this.answers = around.answers();
        this.figures = around.figures();
        this.turns = new TurnAsks(core, sampler, figures, this::moved);
        this.functions = new GenerateAsks(core, sampler, around.direct(), figures, this::moved);
        this.scores = new ScoreAsks(core, sampler, figures, this::scored);
    }

    private void moved(GroupWork work) {
        settle(work);
        pump();
    }

    /** Takes a task, or another attempt of one that it has. */
    public void accept(GroupRequested task, TaskArrival arrival) {
        GroupKey key = new GroupKey(task.groupId(), task.round());
        if (sampled.contains(key, task.epoch())) {
            return; // it crossed our result, which the log has
        }
        GroupWork known = works.get(key);
        if (known != null) {
            renew(known, task, arrival);
            return;
        }
        if (closing != null && closing.parks()) {
            answers.giveBack(task, arrival.cause(), closing.reason());
            return;
        }
        Optional<String> refusal = refusal(task);
        if (refusal.isPresent()) {
            answers.refuse(task, arrival.cause(), refusal.get());
            return;
        }
        GroupWork work = new GroupWork(task, arrival, core.now());
        works.put(key, work);
        answers.started(work);
        watchDeadline(work);
        moved(work); // what came parked may be all of it, only not scored
    }

    private void renew(GroupWork known, GroupRequested task, TaskArrival arrival) {
        if (known.ending() == null && known.renew(task, arrival)) {
            answers.started(known);
            watchDeadline(known);
            pump();
        }
    }

    private Optional<String> refusal(GroupRequested task) {
        if (closing != null) {
            return Optional.of(closing.reason());
        }
        if (task.samples() < 1 || task.samples() > MAX_SAMPLES) {
            return Optional.of("it asks for %d samples; 1 to %d are taken".formatted(task.samples(), MAX_SAMPLES));
        }
        return works.size() < MAX_GROUPS
                ? Optional.empty()
                : Optional.of("the instance has %d groups already; send it to another one".formatted(MAX_GROUPS));
    }

    private void watchDeadline(GroupWork work) {
        Instant deadline = work.task().deadline();
        GroupKey key = work.key();
        core.after(Duration.between(core.now(), deadline), () -> {
            GroupWork late = works.get(key);
            if (late != null && late.task().deadline().equals(deadline)) {
                end(
                        late,
                        "its deadline passed with %s; %s".formatted(late.progress(), engines.situation(late.bound())));
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

    /** Whether a group that only this version may sample runs or waits, and this engine is one that keeps it for that. */
    public boolean pins(Engine engine, int version) {
        return engines.keepers(version).contains(engine.id())
                && works.values().stream()
                        .anyMatch(work -> work.ending() == null
                                && !work.answered()
                                && !work.scoring()
                                && Objects.equals(work.task().exactWeightVersion(), version));
    }

    /** Gives waiting samples to engines that may and can take them. */
    public void pump() {
        // Engines whose next room is for a group that no other engine may sample: later groups do not overtake it
        // there.
        Set<String> reserved = new HashSet<>();
        for (GroupWork work : List.copyOf(works.values())) {
            if (work.ending() != null || work.answered()) {
                continue;
            }
            if (work.hasFunction()) {
                work.calls().stream()
                        .flatMap(List::stream)
                        .forEach(index -> functions.ask(work, index, leftForSamples(work)));
                continue;
            }
            for (List<Integer> call : work.calls()) {
                switch (engines.choose(work.bound(), call.size(), work.home(call), reserved)) {
                    case Admission.Decision.To to -> dispatch(work, engines.byId(to.engineId()), call);
                    case Admission.Decision.NoVersion none -> endIfVersionIsGone(work);
                    case Admission.Decision.NoRoom full -> {
                        if (work.bound().exact() == null) {
                            count();
                            return;
                        }
                        reserved.addAll(engines.keepers(work.bound().exact()));
                    }
                }
            }
        }
        count();
    }

    private void count() {
        int idle = (int) works.values().stream().filter(GroupWork::idle).count();
        figures.waiting(works.size(), idle);
    }

    private void endIfVersionIsGone(GroupWork work) {
        if (engines.isGone(work.bound())) {
            end(work, "no engine holds %s any more; %s".formatted(work.bound(), engines.situation(work.bound())));
        }
    }

    private void dispatch(GroupWork work, Engine engine, List<Integer> indexes) {
        GroupBatch batch = GroupBatch.begin(work, engine, indexes, core.now());
        core.background(
                "sample-" + work.task().groupId(),
                () -> sampler.call().sample(engine.api(), batch.call),
                (result, failure) -> returned(work, batch, result, failure));
    }

    private void returned(
            GroupWork work, GroupBatch batch, @Nullable SampledBatch result, @Nullable Throwable failure) {
        if (!batch.forgotten) {
            batch.giveBack();
            work.running().remove(batch);
            if (result != null) {
                batch.engine.replied();
                figures.taken(work, batch, result.received());
                work.promptTokens(result.promptTokens());
                result.outcomes().forEach(outcome -> take(work, batch, outcome));
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
        work.take(outcome, batch.home());
        if (outcome instanceof SampleOutcome.TurnEnded ended && work.ending() == null) {
            turns.ask(work, work.turnAsk(ended.index()), leftForSamples(work));
        }
    }

    private void failed(GroupWork work, GroupBatch batch, SamplingFailure failure) {
        LOG.warn(
                "a call brought no samples groupId={} engineId={} error={}",
                work.task().groupId(),
                batch.engine.id(),
                failure.reason());
        switch (failure) {
            case SamplingFailure.Unreachable unreachable -> {
                takeSofar(work, batch);
                pool.suspect(batch.engine, unreachable.reason());
            }
            case SamplingFailure.Faulty faulty -> {
                pool.suspect(batch.engine, faulty.reason());
                batch.indexes.forEach(index -> work.refuse(index, batch.engine.id(), faulty.reason()));
            }
            case SamplingFailure.Hopeless hopeless -> end(work, hopeless.reason());
        }
    }

    /** The engine will give no more: samples whose end had come are done, the others may go on elsewhere from where they were. */
    private void takeSofar(GroupWork work, GroupBatch batch) {
        if (!work.answered()) {
            GroupSampler.sofar(batch.call).forEach(outcome -> take(work, batch, outcome));
        }
    }

    /** An engine is gone: what ran on it waits for another one. What it had generated and not sent counts as nothing. */
    public void lost(Engine engine) {
        forget(engine, batch -> {});
        if (!engines.anyServes()) {
            // The trainer looks for another instance at once; here it would be sampled too, later and for nothing.
            giveBack("engine " + engine.id() + " is gone and no other serves here");
        }
        pump();
    }

    private void giveBack(String reason) {
        for (GroupWork work : List.copyOf(works.values())) {
            if (work.running().isEmpty() && work.sessions().isEmpty() && !work.scoring()) {
                end(work, new GroupWork.Ending(reason, true));
            }
        }
    }

    /** An engine lives but does not answer what runs on it: that is aborted there and waits for any engine. */
    public void takeBack(Engine engine) {
        forget(engine, batch -> {
            batch.giveBack();
            batch.abort(core);
        });
        pump();
    }

    private void forget(Engine engine, Consumer<GroupBatch> then) {
        for (GroupWork work : List.copyOf(works.values())) {
            for (GroupBatch batch : List.copyOf(work.running())) {
                if (batch.engine == engine) {
                    batch.forgotten = true;
                    work.running().remove(batch);
                    then.accept(batch);
                    takeSofar(work, batch);
                    settle(work);
                }
            }
        }
    }

    private void end(GroupWork work, String reason) {
        end(work, new GroupWork.Ending(reason, false));
    }

    private void end(GroupWork work, GroupWork.Ending ending) {
        if (work.ending() != null || work.answered()) {
            return;
        }
        work.end(ending);
        functions.end(work);
        for (GroupBatch batch : work.running()) {
            batch.abort(core);
        }
        core.after(ABORT_WAIT, () -> {
            work.running().forEach(batch -> {
                batch.forgotten = true;
                batch.giveBack();
                takeSofar(work, batch);
            });
            work.running().clear();
            settle(work);
        });
        settle(work);
    }

    private void settle(GroupWork work) {
        if (work.answered()) {
            return;
        }
        GroupWork.Ending ending = work.ending();
        if (ending != null && work.running().isEmpty()) {
            if (ending.parks()) {
                answers.park(work, ending.reason(), () -> remove(work));
            } else {
                answers.abandon(work, ending.reason(), () -> remove(work));
            }
        } else if (ending == null && work.complete() && !work.scoring()) {
            scores.ask(work, leftForSamples(work));
        }
    }

    private Duration leftForSamples(GroupWork work) {
        return Duration.between(core.now(), work.task().deadline()).minus(ANSWER_WAIT);
    }

    private void scored(GroupWork work) {
        if (work.complete()) {
            sampled.add(work.key(), work.task().epoch());
            answers.answer(work, () -> remove(work));
        } else {
            pump(); // a renewed task wants newer samples
        }
    }

    private void remove(GroupWork work) {
        works.remove(work.key());
        count();
        if (closing != null && works.isEmpty()) {
            empty.complete(null);
        }
    }

    /**
     * Takes no more tasks; what waits ends, what runs may finish for a while; ends when every group is answered.
     *
     * @param parks whether groups that end so go back for others to go on with, instead of being abandoned
     */
    public CompletableFuture<Void> close(String reason, boolean parks, Duration mayFinish) {
        GroupWork.Ending ending = new GroupWork.Ending(reason, parks);
        closing = ending;
        for (GroupWork work : List.copyOf(works.values())) {
            if (work.idle() || mayFinish.isZero()) {
                end(work, ending);
            }
        }
        if (works.isEmpty()) {
            empty.complete(null);
        } else if (!mayFinish.isZero()) {
            core.after(mayFinish, () -> List.copyOf(works.values()).forEach(work -> end(work, ending)));
        }
        return empty;
    }
}
