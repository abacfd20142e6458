package dev.sluice.trainer.handover;

import dev.sluice.domain.training.TrainingState;
import dev.sluice.events.TrainingEvent.WaitChanged;
import dev.sluice.events.WeightEvent.WeightsPublished;
import dev.sluice.trainer.TrainerConfig;
import dev.sluice.trainer.dispatch.GroupFlow;
import dev.sluice.trainer.dispatch.RolloutPool;
import dev.sluice.trainer.log.RunJournal;
import dev.sluice.trainer.run.RunSignals;
import dev.sluice.trainer.run.TrainedRun;
import dev.sluice.trainer.run.TrainingRefusedException;
import dev.sluice.trainer.wait.Waits;
import dev.sluice.trainer.weights.WeightPublisher;
import dev.sluice.trainer.worker.Worker;
import dev.sluice.workerapi.WorkerInfo;
import java.time.Clock;
import java.time.Duration;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

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

    private static final Duration ASK_DEADLINE = Duration.ofSeconds(10);
    private static final Logger LOG = LoggerFactory.getLogger(Means.class);

    /** It is shown until something else is waited for, and stays in the log. */
    void tellOfFiles() {
        LOG.warn(
                "weights go as files for the rest of the epoch runId={} epoch={} error={}",
                run.runId(),
                run.epoch(),
                failures.newest());
        journal.append(new WaitChanged(
                run.runId(),
                run.epoch(),
                "another trainer, to send weights from memory again; until then they go as files",
                failures.newest(),
                clock.instant(),
                null));
    }

    /**
     * Refuses a worker that lacks what the run's plan asks of it.
     *
     * @param why who needs it, and what would do without it
     */
    static void require(Worker worker, String capability, String why) {
        WorkerInfo info = worker.client().info(ASK_DEADLINE);
        if (!info.capabilities().contains(capability)) {
            throw new TrainingRefusedException("the worker (%s %s) names no capability %s, which %s"
                    .formatted(info.backend(), info.version(), capability, why));
        }
    }

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
