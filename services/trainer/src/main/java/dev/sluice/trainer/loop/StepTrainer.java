package dev.sluice.trainer.loop;

import dev.sluice.domain.training.BatchRows;
import dev.sluice.trainer.run.TrainedRun;
import dev.sluice.trainer.worker.Worker;
import dev.sluice.workerapi.ModelRole;
import dev.sluice.workerapi.TrainRequest;
import dev.sluice.workerapi.TrainResult;
import java.nio.file.Path;
import java.time.Duration;

/** Has a worker train a step's batch: the same way whether it was just formed or stands in the log. */
final class StepTrainer {
    private final TrainedRun run;
    private final BatchFiles batches;
    private final Worker worker;
    private final Duration callDeadline;

    StepTrainer(TrainedRun run, BatchFiles batches, Worker worker, Duration callDeadline) {
        this.run = run;
        this.batches = batches;
        this.worker = worker;
        this.callDeadline = callDeadline;
    }

    TrainResult train(int step, BatchRows rows) {
        Path file = batches.write(step, rows, worker);
        TrainRequest request = new TrainRequest(
                run.epoch(),
                WorkerSeat.operationOf(step),
                step,
                file.toString(),
                ModelRole.POLICY,
                Objective.loss(run.request()));
        return worker.client().train(request, callDeadline);
    }
}
