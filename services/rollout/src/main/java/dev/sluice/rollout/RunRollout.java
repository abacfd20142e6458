package dev.sluice.rollout;

import dev.sluice.events.GroupTask.GroupRequested;
import dev.sluice.events.GroupTask.GroupWithdrawn;
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
import dev.sluice.rollout.engine.EngineWork;
import dev.sluice.rollout.sampling.LazySampler;
import dev.sluice.rollout.task.GroupAnswers;
import dev.sluice.rollout.task.GroupFigures;
import dev.sluice.rollout.task.GroupQueue;
import dev.sluice.rollout.weights.WeightVersions;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import java.util.UUID;
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
            EngineFigures engineFigures,
            GroupFigures groupFigures) {}

    private final WeightVersions weights;
    private final EnginePool pool;
    private final GroupQueue groups;
    private final LazySampler sampler;

    RunRollout(Surroundings around, Share share) {
        Core core = around.core();
        this.weights = new WeightVersions(core, around.objection(), this::weightsLoadable);
        EngineReports reports = new EngineReports(
                share.runId(), around.instanceId(), around.incarnation(), around.publisher(), around.engineFigures());
        EngineDeadlines deadlines =
                around.deadlines().withWeightLoad(share.recipe().weightLoadDeadline());
        this.pool = new EnginePool(
                new EnginePool.Surroundings(core, around.launcher(), reports, weights, this, deadlines),
                around.engineIds());
        this.sampler = new LazySampler(Path.of(share.recipe().modelPath()));
        GroupAnswers answers = new GroupAnswers(core, around.publisher(), around.groupFigures());
        this.groups = new GroupQueue(
                new GroupQueue.Surroundings(core, pool, weights, sampler, answers, around.groupFigures()));
    }

    void serve(Share share) {
        pool.serve(share);
    }

    void published(WeightsPublished event) {
        boolean first = event.version() == 0 && weights.loadable().isEmpty();
        weights.published(event);
        if (first) {
            pool.acknowledgeSource();
        }
    }

    void accept(GroupRequested task, UUID cause) {
        groups.accept(task, cause);
    }

    void withdraw(GroupWithdrawn event) {
        groups.withdraw(event);
    }

    /** Answers every group, then ends the engines. */
    CompletableFuture<Void> close(String reason, Duration mayFinish, Core core) {
        CompletableFuture<Void> closed = new CompletableFuture<>();
        groups.close(reason, mayFinish)
                .whenComplete((answered, failure) ->
                        core.execute(() -> pool.close(reason).whenComplete((ended, problem) -> {
                            sampler.close();
                            closed.complete(null);
                        })));
        return closed;
    }

    private void weightsLoadable() {
        pool.reconcile();
        groups.pump();
    }

    @Override
    public boolean pins(int version) {
        return groups.pins(version);
    }

    @Override
    public void enginesChanged() {
        groups.pump();
    }

    @Override
    public void unanswered(Engine engine) {
        groups.takeBack(engine);
    }

    @Override
    public void lost(Engine engine) {
        groups.lost(engine);
    }
}
