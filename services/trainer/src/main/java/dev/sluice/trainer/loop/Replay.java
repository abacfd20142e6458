package dev.sluice.trainer.loop;

import dev.sluice.domain.replay.ReplayLine;
import dev.sluice.domain.replay.ReplayOrder;
import dev.sluice.domain.training.BatchRows;
import dev.sluice.domain.training.LogEntry;
import dev.sluice.domain.training.TrainingState;
import dev.sluice.events.RunKind;
import dev.sluice.events.TrainingEvent.BatchFormed;
import dev.sluice.events.TrainingEvent.StepCompleted;
import dev.sluice.events.TrainingRequest;
import dev.sluice.kafka.KafkaConnection;
import dev.sluice.trainer.TrainerConfig;
import dev.sluice.trainer.log.LoggedResults;
import dev.sluice.trainer.log.LoggedRun;
import dev.sluice.trainer.log.StepResults;
import dev.sluice.trainer.log.TrainingHistory;
import dev.sluice.trainer.metrics.LessonFigures;
import dev.sluice.trainer.metrics.StepFigures;
import dev.sluice.trainer.run.ImpossibleOrderException;
import dev.sluice.trainer.run.RunFolders;
import dev.sluice.trainer.run.TrainedRun;
import dev.sluice.trainer.run.TrainingRefusedException;
import dev.sluice.trainer.worker.WorkerHost;
import dev.sluice.workerapi.SaveRequest;
import dev.sluice.workerapi.TrainResult;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Trains steps of a run again from its log, with a worker of its own and without engines: as a trainer does after a crash,
 * but it only reads. The run may go on meanwhile. Results are the log's; what the loss makes of them may be changed.
 */
public final class Replay {
    private static final int EPOCH = 1;

    private final ReplayOrder order;
    private final KafkaConnection connection;
    private final TrainerConfig trainerConfig;
    private final TrainerConfig.Worker config;
    private final RunFolders folders;
    private final Consumer<ReplayLine> report;

    /**
     * @param directory where it keeps its files
     * @param report takes every line as it comes
     */
    public Replay(
            ReplayOrder order,
            KafkaConnection connection,
            TrainerConfig trainerConfig,
            Path directory,
            Consumer<ReplayLine> report) {
        this.order = order;
        this.connection = connection;
        this.trainerConfig = trainerConfig;
        this.config = trainerConfig.worker();
        this.folders = new RunFolders(directory, EPOCH);
        this.report = report;
    }

    /** @throws TrainingRefusedException if it cannot be done, with the mend */
    public void run() throws InterruptedException {
        LoggedRun logged = LoggedRun.read(connection, order.runId());
        TrainingHistory history = TrainingHistory.read(connection, order.runId());
        TrainedRun recorded = run(logged, logged.planned().request());
        if (!recorded.kind().trains()) {
            throw new ImpossibleOrderException(
                    "run %s is %s: it has no steps that could be trained again; hand in its request under another id"
                            .formatted(order.runId(), recorded.kind().wireName()));
        }
        TrainedRun changed = order.changed() == null ? recorded : run(logged, order.changed());
        requireTeacher(recorded, changed);
        ReplayStart start = ReplayStart.choose(order, logged, history, connection);
        WorkerHost host = new WorkerHost(config, recorded, roots(recorded, start));
        Runtime.getRuntime().addShutdownHook(new Thread(host::stopLeftBehind, "stop-worker"));
        WorkerSeat.Seated seated =
                seat(recorded, host).load(start.cutDirectory(), start.cut().step(), start.torchDist(), history);
        try {
            requireSameModel(recorded, history, start, seated.loadedSha256());
            report.accept(ReplayLine.of(new ReplayLine.Begun(
                    seated.step(), Optional.ofNullable(start.cutDirectory()).orElse(start.torchDist()), start.last())));
            train(recorded, changed, history, start, seated);
            if (order.save()) {
                save(seated, start.last());
            }
        } finally {
            host.stop(seated.worker());
        }
    }

    private void requireTeacher(TrainedRun recorded, TrainedRun changed) {
        Teacher.requireAllowed(recorded.request(), trainerConfig);
        try {
            Teacher.requireAllowed(changed.request(), trainerConfig);
        } catch (TrainingRefusedException e) {
            throw new ImpossibleOrderException(String.valueOf(e.getMessage()));
        }
    }

    private TrainedRun run(LoggedRun logged, TrainingRequest request) {
        return new TrainedRun(order.runId(), EPOCH, request, logged.planned().plan(), folders);
    }

    private WorkerSeat seat(TrainedRun run, WorkerHost host) {
        return new WorkerSeat(run, config, host, new BatchFiles(run, config.callDeadline()));
    }

    /** What the worker may read: its own directory, and what the run's log names. */
    private List<Path> roots(TrainedRun run, ReplayStart start) {
        return Stream.of(
                        folders.root().toString(),
                        run.request().model().path(),
                        start.torchDist(),
                        start.cutDirectory())
                .filter(path -> path != null && !path.isEmpty())
                .map(Path::of)
                .filter(path -> path.toFile().isDirectory())
                .toList();
    }

    private static void requireSameModel(
            TrainedRun run, TrainingHistory history, ReplayStart start, @Nullable String loaded) {
        int step = start.cut().step();
        Optional<String> then = history.weightsSha256(step);
        if (loaded != null && then.isPresent() && !then.get().equals(loaded)) {
            throw new TrainingRefusedException(
                    "%s holds other weights than run %s had after step %d (%s, now %s); restore the model it was trained from"
                            .formatted(
                                    start.cutDirectory() == null ? start.torchDist() : start.cutDirectory(),
                                    run.runId(),
                                    step,
                                    then.get(),
                                    loaded));
        }
    }

    private void train(
            TrainedRun recorded,
            TrainedRun changed,
            TrainingHistory history,
            ReplayStart start,
            WorkerSeat.Seated seated)
            throws InterruptedException {
        TrainingState state = history.stateFrom(recorded.rules(), start.cut());
        try (StepResults results = recorded.kind() == RunKind.SUPERVISED
                ? LessonResults.of(recorded, state)
                : new LoggedResults(connection, order.runId(), start.cut().groupsOffset(), state)) {
            for (LogEntry<BatchFormed> entry : state.formedAfter(start.cut().step())) {
                int step = entry.event().step();
                if (step > start.last()) {
                    return;
                }
                FormedStep formed = FormedStep.fromLog(entry, results.resultsOf(entry.event()), recorded.batchRules());
                TrainedRun run = step > order.from() ? changed : recorded;
                report.accept(ReplayLine.of(train(run, formed, history, seated)));
                state.forgetUpTo(step);
            }
        }
    }

    private ReplayLine.Trained train(
            TrainedRun run, FormedStep formed, TrainingHistory history, WorkerSeat.Seated seated)
            throws InterruptedException {
        int step = formed.event().step();
        // Other micro-batches would give other last bits.
        BatchRows rows = BatchRows.of(
                formed.results(),
                run.memoryLadder()
                        .rung(history.memoryRungs().of(step))
                        .rules(run.batchRules(), run.plan().training().layout().cp()));
        BatchFiles batches = new BatchFiles(run, config.callDeadline());
        StepTrainer.Trained trained = new StepTrainer(run, batches, seated.worker(), config.callDeadline())
                .train(step, rows, new Teacher(run, trainerConfig, batches, null).column(step, rows));
        TrainResult result = trained.result();
        batches.removeBefore(step);
        Optional<StepCompleted> completed = history.completed(step);
        Map<String, Double> figures = StepFigures.of(
                formed.event(),
                formed.results(),
                rows,
                result.metrics(),
                result.metrics().seconds());
        figures.putAll(trained.modelFigures());
        LessonFigures.keep(figures, run.kind());
        return new ReplayLine.Trained(
                step,
                order.changed() != null && step > order.from(),
                completed.map(StepCompleted::weightsSha256).orElse(null),
                result.weightsSha256(),
                completed.map(StepCompleted::metrics).orElse(Map.of()),
                figures);
    }

    private void save(WorkerSeat.Seated seated, int step) {
        Path directory = folders.cut(step, true);
        directory.getParent().toFile().mkdirs();
        seated.worker()
                .client()
                .save(new SaveRequest(EPOCH, "save-" + step, directory.toString()), config.callDeadline());
        report.accept(ReplayLine.of(new ReplayLine.Saved(step, directory.toString())));
    }
}
