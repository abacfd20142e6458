package dev.sluice.rollout;

import dev.sluice.events.EngineEvent;
import dev.sluice.events.EngineEvent.EngineStarted;
import dev.sluice.events.GroupTask.GroupRequested;
import dev.sluice.events.GroupTask.GroupWithdrawn;
import dev.sluice.events.WeightEvent.PhaseChanged;
import dev.sluice.events.WeightEvent.WeightsPublished;
import dev.sluice.rollout.assignment.Share;
import dev.sluice.rollout.core.Core;
import dev.sluice.rollout.core.Publisher;
import dev.sluice.rollout.engine.Engine;
import dev.sluice.rollout.engine.EngineDeadlines;
import dev.sluice.rollout.engine.EngineFigures;
import dev.sluice.rollout.engine.EngineLauncher;
import dev.sluice.rollout.engine.EnginePool;
import dev.sluice.rollout.engine.EngineReports;
import dev.sluice.rollout.engine.EngineState;
import dev.sluice.rollout.engine.EngineWork;
import dev.sluice.rollout.engine.RunPhases;
import dev.sluice.rollout.sampling.GroupSampler;
import dev.sluice.rollout.sampling.LazySampler;
import dev.sluice.rollout.task.DirectRequests;
import dev.sluice.rollout.task.GroupAnswers;
import dev.sluice.rollout.task.GroupFigures;
import dev.sluice.rollout.task.GroupQueue;
import dev.sluice.rollout.task.TaskArrival;
import dev.sluice.rollout.weights.LocalWeights;
import dev.sluice.rollout.weights.WeightVersions;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.function.Function;
import java.util.function.Supplier;

/** Everything this instance does for one run: its weight versions, its engines, its groups. Used on the core's thread. */
final class RunRollout implements EngineWork {
    /**
     * What all runs of an instance share.
     *
     * @param deadlines of engines; the weight load's comes from the run
     * @param objection what is wrong with a path that an event names, if anything
     * @param engineIds a new engine id each call
     * @param localWeights where this host keeps its own copies of weights, one directory a run
     */
    record Surroundings(
            String instanceId,
            String incarnation,
            Core core,
            Publisher publisher,
            EngineLauncher launcher,
            EngineDeadlines deadlines,
            Function<String, Optional<String>> objection,
            Supplier<String> engineIds,
            Path localWeights,
            EngineFigures engineFigures,
            GroupFigures groupFigures,
            GroupSampler.Others others) {}

    private final LocalWeights localWeights;
    private final WeightVersions weights;
    private final EnginePool pool;
    private final GroupQueue groups;
    private final LazySampler sampler;
    private final DirectRequests direct;

    RunRollout(Surroundings around, Share share) {
        Core core = around.core();
        Path model = Path.of(share.recipe().modelPath());
        this.localWeights = new LocalWeights(around.localWeights().resolve(share.runId()), model);
        this.weights = new WeightVersions(core, around.objection(), localWeights, this::isLoading, this::moveOn);
        EngineReports reports = new EngineReports(
                share.runId(), around.instanceId(), around.incarnation(), around.publisher(), around.engineFigures());
        EngineDeadlines deadlines =
                around.deadlines().withWeightLoad(share.recipe().weightLoadDeadline());
        RunPhases phases = new RunPhases(share.recipe().colocated());
        this.pool = new EnginePool(
                new EnginePool.Surroundings(core, around.launcher(), reports, weights, phases, this, deadlines),
                around.engineIds());
        this.sampler = new LazySampler(model, around.others());
        GroupAnswers answers = new GroupAnswers(core, around.publisher(), around.groupFigures());
        this.direct = new DirectRequests(pool, weights, this::moveOn);
        this.groups = new GroupQueue(
                new GroupQueue.Surroundings(core, pool, weights, sampler, direct, answers, around.groupFigures()));
    }

    /** @param started engines of several nodes that other instances have started for this run and that have not ended */
    void serve(Share share, List<EngineStarted> started) {
        pool.serve(share, started);
    }

    /** What another instance says of its process of an engine. */
    void heard(EngineEvent event) {
        pool.heard(event);
    }

    void published(WeightsPublished event) {
        boolean first = event.version() == 0 && weights.loadable().isEmpty();
        weights.published(event);
        if (first) {
            pool.acknowledgeSource();
        }
    }

    void changed(PhaseChanged event) {
        pool.changed(event);
    }

    void accept(GroupRequested task, TaskArrival arrival) {
        groups.accept(task, arrival);
    }

    /** Requests that come over HTTP instead of the topic. */
    DirectRequests direct() {
        return direct;
    }

    void withdraw(GroupWithdrawn event) {
        groups.withdraw(event);
    }

    /**
     * The run no longer needs this instance: groups end and the engines with them.
     *
     * @param runGoesOn elsewhere, so that groups go back instead of being abandoned
     * @return ends when all of it has
     */
    CompletableFuture<Void> release(String reason, boolean runGoesOn, Core core) {
        return close(groups.close(reason, runGoesOn, Duration.ZERO), reason, core)
                .thenRun(() -> core.background("remove-weights", this::removeWeights, (done, failure) -> {}));
    }

    private Void removeWeights() {
        localWeights.remove();
        return null;
    }

    /** The instance ends and the run goes on: groups finish or go back, then the engines end. */
    CompletableFuture<Void> drain(String reason, Duration mayFinish, Core core) {
        return close(groups.close(reason, true, mayFinish), reason, core);
    }

    private CompletableFuture<Void> close(CompletableFuture<Void> answeredAll, String reason, Core core) {
        CompletableFuture<Void> closed = new CompletableFuture<>();
        answeredAll.whenComplete((answered, failure) ->
                core.execute(() -> pool.end(reason).whenComplete((ended, problem) -> {
                    sampler.close();
                    closed.complete(null);
                })));
        return closed;
    }

    private boolean isLoading() {
        return pool.engines().anyMatch(engine -> engine.state() instanceof EngineState.Updating);
    }

    private void moveOn() {
        pool.reconcile();
        groups.pump();
    }

    @Override
    public boolean pins(Engine engine, int version) {
        return groups.pins(engine, version);
    }

    @Override
    public void enginesChanged() {
        weights.loadEnded();
        groups.pump();
    }

    @Override
    public void unanswered(Engine engine) {
        groups.takeBack(engine);
    }

    @Override
    public void lost(Engine engine) {
        weights.loadEnded();
        groups.lost(engine);
    }
}
