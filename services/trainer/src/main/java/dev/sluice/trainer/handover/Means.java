package dev.sluice.trainer.handover;

import dev.sluice.domain.training.TrainingState;
import dev.sluice.events.WeightEvent.WeightsPublished;
import dev.sluice.trainer.TrainerConfig;
import dev.sluice.trainer.dispatch.GroupFlow;
import dev.sluice.trainer.dispatch.RolloutPool;
import dev.sluice.trainer.log.RunJournal;
import dev.sluice.trainer.run.RunSignals;
import dev.sluice.trainer.run.TrainedRun;
import dev.sluice.trainer.wait.Waits;
import dev.sluice.trainer.weights.WeightPublisher;
import java.time.Clock;

/**
 * What GPUs and weights are handed over with, between a recovery and the next.
 *
 * @param failures of this epoch
 */
public record Means(
        TrainedRun run,
        TrainerConfig config,
        RolloutPool pool,
        RunSignals signals,
        RunJournal journal,
        GroupFlow flow,
        Waits waits,
        WeightPublisher weights,
        SendFailures failures,
        Clock clock) {

    int version() {
        return flow.look(TrainingState::version);
    }

    /** Whether the newest version has no files: only the worker can give it to engines. */
    boolean isNewestWithoutFiles() {
        return flow.look(TrainingState::newestWeights)
                        .map(WeightsPublished::directory)
                        .isEmpty()
                && flow.look(TrainingState::anythingPublished);
    }
}
