package dev.sluice.trainer.loop;

import dev.sluice.kafka.StateReader;
import dev.sluice.trainer.dispatch.GroupFlow;
import dev.sluice.trainer.log.RunJournal;
import dev.sluice.trainer.log.TrainingHistory;
import org.jspecify.annotations.Nullable;

/**
 * A run between a recovery and the next: its log open for writing, its state as the logs say.
 *
 * @param results keeps reading the log of results
 * @param history what trainers had written when it began
 * @param cutDirectory the cut that the state begins at; absent for the run's beginning
 * @param cutStep steps in that cut, or 0
 */
record Session(
        RunJournal journal,
        GroupFlow flow,
        StateReader results,
        TrainingHistory history,
        @Nullable String cutDirectory,
        int cutStep)
        implements AutoCloseable {

    /** Closes everything, also on a thread that was interrupted to end: clients of Kafka refuse to close on one. */
    @Override
    public void close() {
        boolean interrupted = Thread.interrupted();
        flow.close();
        results.close();
        journal.close();
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}
