package dev.sluice.trainer.handover;

import dev.sluice.events.WeightEvent.Phase;
import dev.sluice.trainer.worker.Worker;
import java.time.Duration;
import java.util.List;
import java.util.function.BooleanSupplier;

/** Engines have GPUs of their own and load files: nobody stands still for the other. */
final class Apart implements HandOver {
    private final Means means;

    Apart(Means means) {
        this.means = means;
    }

    @Override
    public void begin() {}

    @Override
    public void seated(Worker worker) {}

    @Override
    public void beforeTraining(Evaluating evaluation) {}

    @Override
    public void beforePublication(Evaluating evaluation) throws InterruptedException {
        evaluation.allowNewerWeights();
    }

    /** Engines that stood still for weights which did not come take files. */
    @Override
    public void afterPublication() {
        Phases.newest(means.flow())
                .filter(last -> last.phase() != Phase.GENERATE)
                .ifPresent(last -> new Phases(means).change(Phase.GENERATE, List.of(), List.of()));
    }

    @Override
    public void afterTraining() {}

    @Override
    public boolean await(BooleanSupplier condition, Duration time) throws InterruptedException {
        return means.flow().await(condition, time);
    }

    @Override
    public void close() {}
}
