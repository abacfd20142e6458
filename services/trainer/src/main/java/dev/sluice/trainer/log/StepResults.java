package dev.sluice.trainer.log;

import dev.sluice.events.GroupEvent.GroupSampled;
import dev.sluice.events.TrainingEvent.BatchFormed;
import java.util.List;

/** What steps of the log were trained on. */
public interface StepResults extends AutoCloseable {
    /**
     * The groups of one step, in its order; steps are asked for as they came.
     *
     * @throws IllegalStateException if one is not what the step was trained on
     */
    List<GroupSampled> resultsOf(BatchFormed formed) throws InterruptedException;

    @Override
    void close();
}
