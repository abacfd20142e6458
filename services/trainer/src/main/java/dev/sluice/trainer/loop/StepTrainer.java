package dev.sluice.trainer.loop;

import dev.sluice.domain.training.BatchRows;
import dev.sluice.trainer.run.TrainedRun;
import dev.sluice.trainer.worker.Worker;
import dev.sluice.workerapi.Batch;
import dev.sluice.workerapi.TrainRequest;
import dev.sluice.workerapi.TrainResult;
import java.time.Duration;
import java.util.Map;

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

    /**
     * A step's end.
     *
     * @param modelFigures of what models said of the batch, by their wire names
     */
    record Trained(TrainResult result, Map<String, Double> modelFigures) {}

    /** @param given columns of the batch that the worker does not compute */
    Trained train(int step, BatchRows rows, Map<Batch.Column, float[]> given) {
        BatchFiles.Written batch = batches.write(step, rows, given, worker);
        TrainRequest request = new TrainRequest(
                run.epoch(),
                WorkerSeat.operationOf(step),
                step,
                batch.file().toString(),
                Objective.trained(run.request(), step),
                Objective.loss(run.request()),
                Objective.renewsReference(run.request(), step));
        return new Trained(worker.client().train(request, callDeadline), batch.figures());
    }
}
