package dev.sluice.trainer.handover;

import dev.sluice.events.EngineEvent.EnginePlace;
import dev.sluice.events.WeightEvent.Phase;
import dev.sluice.events.WeightEvent.PhaseChanged;
import dev.sluice.trainer.worker.Worker;
import dev.sluice.workerapi.WorkerErrorCode;
import dev.sluice.workerapi.WorkerException;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/** Engines have GPUs of their own and stand still while the worker broadcasts each version to all of them. */
final class Broadcast implements HandOver {
    private final Means means;
    private final Phases phases;
    private final Joiners joiners;
    private @Nullable WeightSender sender;

    Broadcast(Means means) {
        this.means = means;
        this.phases = new Phases(means);
        this.joiners = new Joiners(means, phases, this::send);
    }

    @Override
    public void begin() {
        phases.listen();
    }

    @Override
    public void seated(Worker worker) {
        Means.require(worker, "send:nccl", "weights.transport nccl needs; start another one, or choose disk");
        sender = new WeightSender(means, worker);
    }

    @Override
    public void beforeTraining(Evaluating evaluation) {}

    /** No engine can keep the version that is measured: all are in one group. */
    @Override
    public void beforePublication(Evaluating evaluation) throws InterruptedException {
        evaluation.finish();
    }

    /** Also after a recovery, where a predecessor was not done with it. */
    @Override
    public void afterPublication() throws InterruptedException {
        if (means.isNewestWithoutFiles() && !isGiven()) {
            send();
        } else if (phases.isIn(Phase.SYNC)) {
            phases.change(Phase.GENERATE, List.of(), List.of());
        }
    }

    private boolean isGiven() {
        return phases.newest()
                .filter(last -> last.phase() == Phase.GENERATE && last.weightVersion() == means.version())
                .isPresent();
    }

    private void send() throws InterruptedException {
        phases.change(Phase.SYNC, List.of(), List.of());
        List<EnginePlace> engines = phases.awaitReceivers();
        try {
            if (!engines.isEmpty()) {
                int number = phases.newest().map(PhaseChanged::number).orElseThrow();
                Objects.requireNonNull(sender, "weights are sent by a worker").broadcast(engines, number);
                means.failures().forget();
            }
        } catch (WorkerException e) {
            if (e.code() != WorkerErrorCode.STALE_EPOCH) {
                means.failures().oneMore(String.valueOf(e.getMessage()));
                // Each may hold a mixture, or be stuck in a group that did not form.
                phases.change(Phase.GENERATE, List.of(), List.of());
            }
            throw e;
        }
        phases.change(
                Phase.GENERATE, engines.stream().map(EnginePlace::engineId).toList(), List.of());
    }

    @Override
    public void afterTraining() {}

    @Override
    public boolean await(BooleanSupplier condition, Duration time) throws InterruptedException {
        return joiners.await(condition, time);
    }

    @Override
    public void close() {
        phases.close();
    }
}
