package dev.sluice.trainer.loop;

import dev.sluice.checkpoint.CheckpointException;
import dev.sluice.checkpoint.TensorTable;
import dev.sluice.domain.training.TrainingState;
import dev.sluice.events.Algorithm;
import dev.sluice.events.Backend;
import dev.sluice.http.Json;
import dev.sluice.trainer.TrainerConfig;
import dev.sluice.trainer.log.TrainingHistory;
import dev.sluice.trainer.run.TrainedRun;
import dev.sluice.trainer.run.TrainingRefusedException;
import dev.sluice.trainer.worker.Worker;
import dev.sluice.trainer.worker.WorkerHost;
import dev.sluice.workerapi.LoadRequest;
import dev.sluice.workerapi.LoadResult;
import dev.sluice.workerapi.Operation;
import dev.sluice.workerapi.TrainResult;
import dev.sluice.workerapi.WorkerErrorCode;
import dev.sluice.workerapi.WorkerException;
import dev.sluice.workerapi.WorkerHealth;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Objects;
import java.util.Optional;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Gets a worker that holds the run's model: the living one, if it stands where the log says, else a new one. */
final class WorkerSeat {
    private static final Duration ASK_DEADLINE = Duration.ofSeconds(10);
    private static final Logger LOG = LoggerFactory.getLogger(WorkerSeat.class);

    private final TrainedRun run;
    private final TrainerConfig.Worker config;
    private final WorkerHost host;
    private final BatchFiles batches;

    WorkerSeat(TrainedRun run, TrainerConfig.Worker config, WorkerHost host, BatchFiles batches) {
        this.run = run;
        this.config = config;
        this.host = host;
        this.batches = batches;
    }

    /**
     * A worker with a model.
     *
     * @param step steps trained into it
     * @param how it came to be, for people
     * @param deterministic whether the same batches give it the same bits
     * @param loadedSha256 hash of the weights that it has loaded; absent for a living worker, and where it computes none
     */
    record Seated(
            Worker worker,
            int step,
            String how,
            boolean deterministic,
            @Nullable String loadedSha256) {}

    /** @param checkpoint the converted model, for a start without a cut */
    Seated seat(Session session, String checkpoint) throws InterruptedException {
        int formed = session.flow().look(TrainingState::formedStep);
        int[] step = new int[1];
        Optional<Worker> attached = host.attach(health -> {
            step[0] = health.step();
            return agrees(health, session, formed);
        });
        if (attached.isPresent()) {
            return seated(attached.get(), step[0], "attached to a living worker", null);
        }
        return load(session.cutDirectory(), session.cutStep(), checkpoint, session.history());
    }

    /**
     * A new worker.
     *
     * @param cutDirectory what it loads; absent: the converted model
     * @param cutStep steps trained into that
     * @param history which says what the run's workers had memory for
     */
    Seated load(@Nullable String cutDirectory, int cutStep, String checkpoint, TrainingHistory history)
            throws InterruptedException {
        Worker worker = host.start();
        try {
            LoadResult loaded = worker.client().load(request(cutDirectory, checkpoint, history), config.callDeadline());
            LOG.info(
                    "model loaded runId={} step={} parameters={} seconds={}",
                    run.runId(),
                    loaded.step(),
                    loaded.parameters(),
                    "%.2f".formatted(loaded.seconds()));
            if (loaded.step() != cutStep) {
                throw new WorkerException(
                        WorkerErrorCode.BAD_CHECKPOINT,
                        "the cut of step %d loads as step %d".formatted(cutStep, loaded.step()),
                        "remove " + cutDirectory + " so that an older one is used");
            }
            String how = cutDirectory == null ? "started" : "resumed from a cut";
            return seated(worker, loaded.step(), how, loaded.weightsSha256());
        } catch (WorkerException e) {
            host.stop(worker);
            throw e;
        }
    }

    private Seated seated(Worker worker, int step, String how, @Nullable String loadedSha256) {
        return new Seated(worker, step, how, worker.client().info(ASK_DEADLINE).deterministic(), loadedSha256);
    }

    private boolean agrees(WorkerHealth health, Session session, int formed) {
        if (!run.runId().equals(health.runId())
                || health.epoch() > run.epoch()
                || health.step() < session.cutStep()
                || health.step() > formed) {
            return false;
        }
        String trained = health.batchSha256();
        if (trained == null) {
            // Nothing trained since it was loaded: it holds the source or a cut.
            return health.step() == session.cutStep();
        }
        return session.history()
                .batchSha256(health.step())
                .filter(content -> batches.isLogged(health.step(), trained, content))
                .isPresent();
    }

    private LoadRequest request(@Nullable String cutDirectory, String checkpoint, TrainingHistory history) {
        Algorithm algorithm = run.request().algorithm();
        return new LoadRequest(
                run.epoch(),
                "load-e%d-%s".formatted(run.epoch(), UUID.randomUUID()),
                run.runId(),
                checkpoint,
                algorithm.usesReference() ? Objects.requireNonNullElse(algorithm.reference(), checkpoint) : null,
                algorithm.distillation().loadedTeacher(),
                Objective.trainsCritic(run.request()) ? checkpoint : null,
                run.request().model().path(),
                run.memoryLadder()
                        .rung(history.memoryRungs().newest())
                        .args(run.plan().training().args()),
                cutDirectory,
                run.plan().backend() == Backend.GPU ? tensorTable() : null);
    }

    /** The GPU worker keeps no name map of its own. */
    private String tensorTable() {
        String model = run.request().model().path();
        try {
            TensorTable.of(Path.of(model)).write(run.folders().tensors());
            return run.folders().tensors().toString();
        } catch (CheckpointException e) {
            throw new TrainingRefusedException(
                    "the worker cannot be told where the tensors of %s lie: %s".formatted(model, e.getMessage()), e);
        }
    }

    /** The name of a step's operation; without the epoch, so that a successor finds what its predecessor began. */
    static String operationOf(int step) {
        return "train-" + step;
    }

    /**
     * What the worker answered to a predecessor who trained a step.
     *
     * @throws WorkerException if it does not remember
     */
    TrainResult resultOf(Worker worker, int step) {
        Operation operation = worker.client()
                .operation(operationOf(step), ASK_DEADLINE)
                .filter(found -> found.state() == Operation.State.DONE)
                .orElseThrow(() -> new WorkerException(
                        WorkerErrorCode.NOT_FOUND,
                        "the worker holds step %d but not what it measured".formatted(step),
                        "it is loaded anew"));
        try {
            return Json.MAPPER.treeToValue(operation.result(), TrainResult.class);
        } catch (IOException e) {
            throw new WorkerException(
                    WorkerErrorCode.UNKNOWN, "the worker's answer to step " + step + " is no result: " + e, "");
        }
    }
}
