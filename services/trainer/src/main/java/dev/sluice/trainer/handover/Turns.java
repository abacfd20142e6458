package dev.sluice.trainer.handover;

import dev.sluice.events.EngineEvent.EnginePlace;
import dev.sluice.events.WeightEvent.Phase;
import dev.sluice.trainer.worker.Worker;
import dev.sluice.workerapi.Held;
import dev.sluice.workerapi.WorkerErrorCode;
import dev.sluice.workerapi.WorkerException;
import java.time.Duration;
import java.util.EnumSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Engines and training take turns on the same GPUs: no worker is touched before every engine has given its memory back, and
 * none goes on before the worker has.
 */
final class Turns implements HandOver {
    private static final Set<Held> ALL_BUT_WEIGHTS = EnumSet.of(Held.OPTIMIZER, Held.GRADIENTS);
    private static final Set<Held> WEIGHTS = EnumSet.of(Held.WEIGHTS);

    private final Means means;
    private final Phases phases;
    private final Joiners joiners;
    private @Nullable WorkerMemory memory;
    private @Nullable WeightSender sender;

    Turns(Means means) {
        this.means = means;
        this.phases = new Phases(means);
        this.joiners = new Joiners(means, phases, this::giveGpus);
    }

    /** Engines start before the worker takes their memory: the first time with the weights that they are to have. */
    @Override
    public void begin() throws InterruptedException {
        phases.listen();
        if (phases.newest().isEmpty()) {
            phases.awaitEngines();
        }
        takeGpus();
    }

    private void takeGpus() throws InterruptedException {
        phases.change(Phase.TRAIN, List.of(), List.of());
        phases.awaitAll();
    }

    /** One of before may have given its memory away. */
    @Override
    public void seated(Worker worker) throws InterruptedException {
        Means.require(
                worker,
                "offload",
                "engines on the same GPUs need; start another one, or set cluster.placement to disaggregated");
        if (means.weights().areDirect()) {
            Means.require(worker, "send:tensor", "weights.transport tensor needs; start another one, or choose disk");
        }
        WorkerMemory held = new WorkerMemory(means, worker);
        held.onload(WorkerMemory.ALL);
        memory = held;
        sender = new WeightSender(means, worker);
    }

    @Override
    public void beforeTraining(Evaluating evaluation) throws InterruptedException {
        if (phases.isIn(Phase.TRAIN)) {
            return;
        }
        evaluation.finish();
        takeGpus();
        memory().onload(WorkerMemory.ALL);
    }

    @Override
    public void beforePublication(Evaluating evaluation) {}

    @Override
    public void afterPublication() {}

    @Override
    public void afterTraining() throws InterruptedException {
        giveGpus();
    }

    private void giveGpus() throws InterruptedException {
        List<String> given = List.of();
        if (means.isNewestWithoutFiles()) {
            memory().offload(ALL_BUT_WEIGHTS);
            phases.change(Phase.SYNC, List.of(), List.of());
            List<EnginePlace> engines = phases.awaitAll();
            memory().onload(WEIGHTS); // engines that started later wait while it is away
            send(engines);
            memory().offload(WEIGHTS);
            given = engines.stream().map(EnginePlace::engineId).toList();
        } else {
            memory().offload(WorkerMemory.ALL);
        }
        phases.change(Phase.GENERATE, given, memory().takeFigures());
    }

    /** After a failure the run recovers, which begins with the engines giving back what they hold. */
    private void send(List<EnginePlace> engines) throws InterruptedException {
        if (engines.isEmpty()) {
            return;
        }
        try {
            Objects.requireNonNull(sender, "weights are sent by a worker").share(engines);
            means.failures().forget();
        } catch (WorkerException e) {
            if (e.code() != WorkerErrorCode.STALE_EPOCH) {
                means.failures().oneMore(String.valueOf(e.getMessage()));
            }
            throw e;
        }
    }

    private WorkerMemory memory() {
        return Objects.requireNonNull(memory, "memory is moved by a worker");
    }

    @Override
    public boolean await(BooleanSupplier condition, Duration time) throws InterruptedException {
        return joiners.await(condition, time);
    }

    @Override
    public void close() {
        phases.close();
    }
}
