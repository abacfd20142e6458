package dev.sluice.trainer.loop;

import dev.sluice.domain.training.MemoryLadder;
import dev.sluice.domain.training.MemoryRung;
import dev.sluice.events.TrainingEvent.WorkerFellBack;
import dev.sluice.kafka.KafkaConnection;
import dev.sluice.trainer.log.RunJournal;
import dev.sluice.trainer.log.TrainingHistory;
import dev.sluice.trainer.run.TrainedRun;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** After a worker ran out of memory: writes down what the next one gets, so that any successor gives it the same. */
final class MemoryFallback {
    private static final Logger LOG = LoggerFactory.getLogger(MemoryFallback.class);

    private final TrainedRun run;
    private final KafkaConnection connection;

    MemoryFallback(TrainedRun run, KafkaConnection connection) {
        this.run = run;
        this.connection = connection;
    }

    /**
     * Takes the next rung.
     *
     * @param step that the worker trained; 0 where it did not come to that
     * @param reason what the worker said
     * @return empty where nothing is left to try
     */
    Optional<MemoryRung> take(int step, String reason) {
        MemoryLadder ladder = run.memoryLadder();
        try (RunJournal journal = RunJournal.open(connection, run.runId())) {
            TrainingHistory history = TrainingHistory.read(connection, run.runId());
            if (history.epoch() > run.epoch()) {
                throw new SupersededException(run.runId(), run.epoch(), history.epoch());
            }
            Optional<MemoryRung> next = ladder.at(history.memoryRungs().after(step));
            next.ifPresent(rung -> {
                LOG.warn(
                        "the worker falls back runId={} rung={} of={} difference={} error={}",
                        run.runId(),
                        rung.number(),
                        ladder.size(),
                        rung.difference(),
                        reason);
                journal.append(new WorkerFellBack(
                        run.runId(), run.epoch(), step, rung.number(), ladder.size(), rung.difference(), reason));
            });
            return next;
        }
    }
}
