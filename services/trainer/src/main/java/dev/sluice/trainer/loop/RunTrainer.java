package dev.sluice.trainer.loop;

import dev.sluice.domain.training.TrainingState;
import dev.sluice.events.TrainingEvent.TrainerLost;
import dev.sluice.kafka.FencedException;
import dev.sluice.kafka.KafkaUnavailableException;
import dev.sluice.trainer.cut.CutWriter;
import dev.sluice.trainer.evaluation.Evaluations;
import dev.sluice.trainer.handover.GpusKeptException;
import dev.sluice.trainer.handover.HandOver;
import dev.sluice.trainer.handover.Means;
import dev.sluice.trainer.handover.SendFailures;
import dev.sluice.trainer.log.RunJournal;
import dev.sluice.trainer.metrics.TrainerMeters;
import dev.sluice.trainer.prompts.TrainingPrompts;
import dev.sluice.trainer.run.RunSignals;
import dev.sluice.trainer.run.TrainedRun;
import dev.sluice.trainer.run.TrainingRefusedException;
import dev.sluice.trainer.wait.RunWait;
import dev.sluice.trainer.wait.WaitOverdueException;
import dev.sluice.trainer.wait.Waits;
import dev.sluice.trainer.weights.WeightPublisher;
import dev.sluice.trainer.worker.WorkerHost;
import dev.sluice.workerapi.WorkerErrorCode;
import dev.sluice.workerapi.WorkerException;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Trains one run under one epoch, on a thread of its own. Whatever fails, it recovers from the logs, as often as the bounds
 * allow; it ends at once when another trainer has the run.
 */
public final class RunTrainer {
    /** For the planner's word that another trainer has the run, after the log was taken away. */
    private static final Duration FENCED_PAUSE = Duration.ofSeconds(3);

    private static final Duration KAFKA_PAUSE = Duration.ofSeconds(1);
    private static final Logger LOG = LoggerFactory.getLogger(RunTrainer.class);

    private final TrainedRun run;
    private final RunSignals signals;
    private final Parts parts;
    private final Runnable onBrokerLost;
    private final WorkerHost host;
    private final Thread thread;
    private final AtomicReference<Ending> ending = new AtomicReference<>(Ending.NONE);
    private final SendFailures sendFailures = new SendFailures();
    private boolean wasFenced;
    private int failures;
    private int stepAtFailure = -1;
    private int stepAtWork;
    private long brokerLostSince;

    /** Why the thread is to end. */
    private enum Ending {
        NONE,
        /** Another trainer has the run: the worker is no longer ours to touch. */
        SUPERSEDED,
        /** The run has ended, or this service ends. */
        OVER
    }

    /** @param onBrokerLost runs when the broker does not come back by its deadline: this service is to be started anew */
    public RunTrainer(TrainedRun run, RunSignals signals, Parts parts, Runnable onBrokerLost) {
        this.run = run;
        this.signals = signals;
        this.parts = parts;
        this.onBrokerLost = onBrokerLost;
        this.host = new WorkerHost(parts.config().worker(), run, parts.roots());
        this.thread = Thread.ofPlatform().name("train-" + run.runId()).daemon().unstarted(this::train);
    }

    public void start() {
        thread.start();
    }

    public int epoch() {
        return run.epoch();
    }

    /** Stops at once and leaves the worker to the trainer that has the run now. */
    public void supersede() {
        end(Ending.SUPERSEDED);
    }

    /** Stops and ends the worker. */
    public void end(Duration grace) {
        end(Ending.OVER);
        join(grace);
    }

    /** Waits for its end, which it does not ask for. */
    public void join(Duration atMost) {
        try {
            thread.join(atMost);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void end(Ending reason) {
        ending.compareAndSet(Ending.NONE, reason);
        thread.interrupt();
    }

    private void train() {
        try {
            Teacher.requireAllowed(run.request(), parts.config());
            TrainingPrompts prompts = TrainingPrompts.read(run);
            Evaluations evaluations = Evaluations.read(run);
            boolean again = true;
            while (again && ending.get() == Ending.NONE) {
                again = attempt(prompts, evaluations);
            }
        } catch (TrainingRefusedException e) {
            giveUp(e.getMessage(), false);
        } catch (InterruptedException e) {
            LOG.info("training interrupted runId={} epoch={} because={}", run.runId(), run.epoch(), ending.get());
        } catch (RuntimeException e) {
            if (ending.get() != Ending.NONE) {
                LOG.info(
                        "training ended runId={} epoch={} because={} at={}", run.runId(), run.epoch(), ending.get(), e);
                return;
            }
            LOG.error("training failed runId={} epoch={}", run.runId(), run.epoch(), e);
            giveUp("a fault of the trainer: " + e, true);
        } finally {
            if (ending.get() == Ending.OVER) {
                Thread.interrupted(); // stopping the worker waits a little
                host.stopLeftBehind();
            }
        }
    }

    /** One life between recoveries; whether another is to follow. */
    private boolean attempt(TrainingPrompts prompts, Evaluations evaluations) throws InterruptedException {
        try {
            live(prompts, evaluations);
            return false;
        } catch (SupersededException e) {
            LOG.warn("{}", e.getMessage());
            return false;
        } catch (FencedException e) {
            LOG.warn("stopped: {} runId={} epoch={}", e.getMessage(), run.runId(), run.epoch());
            wasFenced = true;
            Thread.sleep(FENCED_PAUSE);
            return mayTryAgain("another process took the log of this run, but the run is still assigned here");
        } catch (KafkaUnavailableException e) {
            return ending.get() == Ending.NONE && awaitBroker(e.getMessage());
        } catch (InterruptedException e) {
            if (ending.get() != Ending.NONE) {
                throw e;
            }
            return awaitBroker("the log of results can no longer be read");
        } catch (WorkerException e) {
            return ending.get() == Ending.NONE && afterWorkerFailure(e);
        } catch (RolledBackException e) {
            LOG.warn("{} runId={}", e.getMessage(), run.runId());
            host.stopLeftBehind();
            return ending.get() == Ending.NONE;
        } catch (GpusKeptException e) {
            giveUp("no last cut, those of before stay: " + e.getMessage(), false);
            return false;
        } catch (WaitOverdueException e) {
            giveUp(e.getMessage(), true);
            return false;
        }
    }

    private void live(TrainingPrompts prompts, Evaluations evaluations) throws InterruptedException {
        Recovery recovery = new Recovery(run, parts, prompts);
        stepAtWork = 0;
        if (wasFenced) {
            // Opening the log fences its writer: first see whether that would be the rightful one.
            recovery.requireCurrent();
        }
        try (Session session = recovery.recover(thread::interrupt);
                Watch watch = watch(session)) {
            brokerLostSince = 0;
            if (session.history().isOver()) {
                LOG.info("the run's last cut is saved already runId={}", run.runId());
                return;
            }
            boolean direct = run.plan().transport().direct() && !sendFailures.areMany();
            WeightPublisher weights = new WeightPublisher(run, parts.config(), parts.clock(), direct);
            if (!run.kind().trains()) {
                new RolloutLoop(run, parts, signals, session, evaluations).run(weights.source());
                return;
            }
            Waits waits =
                    new Waits(run, session.journal(), parts.config().waits().shownAfter(), parts.clock());
            String checkpoint = waits.await(
                    RunWait.CONVERSION,
                    "the converter writes " + run.request().model().path() + " in torch_dist form",
                    parts.config().waits().conversion(),
                    signals.converted());
            Means means = new Means(
                    run,
                    parts.config(),
                    parts.pool(),
                    signals,
                    session.journal(),
                    session.flow(),
                    waits,
                    weights,
                    sendFailures,
                    parts.clock());
            try (HandOver handOver = HandOver.of(means)) {
                handOver.begin();
                trainSteps(session, checkpoint, new Given(prompts, evaluations, weights, handOver));
            } finally {
                watch.note(session.flow().look(TrainingState::completedStep));
            }
        }
    }

    /** What the training loop is given besides its worker. */
    private record Given(
            TrainingPrompts prompts, Evaluations evaluations, WeightPublisher weights, HandOver handOver) {}

    private void trainSteps(Session session, String checkpoint, Given given) throws InterruptedException {
        BatchFiles batches = new BatchFiles(run, parts.config().worker().callDeadline());
        WorkerSeat seat = new WorkerSeat(run, parts.config().worker(), host, batches);
        WorkerSeat.Seated seated = seat.seat(session, checkpoint);
        parts.meters().workerStarted(run.runId(), seated.how());
        GroupSource groups = GroupSource.of(run, session.flow(), given.prompts());
        TrainingLoop loop = new TrainingLoop(
                run,
                parts,
                signals,
                session,
                new TrainingLoop.Verbs(
                        seat,
                        seated,
                        batches,
                        given.weights(),
                        new CutWriter(
                                run, parts.config().worker(), given.prompts().identity()),
                        given.evaluations(),
                        groups,
                        given.handOver()));
        try (groups) {
            given.handOver().seated(seated.worker());
            loop.run();
            host.stop(seated.worker());
        } catch (WorkerException e) {
            stepAtWork = loop.stepAtWork();
            throw new WorkerException(
                    e.code(),
                    e.getMessage() + "; " + seated.worker().condition(),
                    "see " + run.folders().workerLog());
        } finally {
            seated.worker().close();
        }
    }

    /** Shows the run in this service's figures while a session lasts. */
    private record Watch(AutoCloseable registration, RunTrainer trainer) implements AutoCloseable {
        void note(int step) {
            if (step > trainer.stepAtFailure) {
                trainer.stepAtFailure = step;
                trainer.failures = 0;
            }
        }

        @Override
        public void close() {
            try {
                registration.close();
            } catch (Exception e) {
                LOG.warn("figures of a run stay runId={} error={}", trainer.run.runId(), e.toString());
            }
        }
    }

    private Watch watch(Session session) {
        return new Watch(parts.meters().watch(run.runId(), new FlowFigures(session.flow())), this);
    }

    private boolean awaitBroker(@Nullable String reason) throws InterruptedException {
        Thread.interrupted(); // a reader that failed has interrupted us; that is what is being mended
        long now = System.nanoTime();
        brokerLostSince = brokerLostSince == 0 ? now : brokerLostSince;
        Duration lost = Duration.ofNanos(now - brokerLostSince);
        if (lost.compareTo(parts.config().kafkaDeadline()) > 0) {
            LOG.error("the broker did not come back, so this service ends runId={} error={}", run.runId(), reason);
            onBrokerLost.run();
            return false;
        }
        LOG.warn("the broker does not answer; recovering runId={} error={}", run.runId(), reason);
        Thread.sleep(KAFKA_PAUSE);
        return true;
    }

    private boolean afterWorkerFailure(WorkerException failure) {
        if (failure.code() == WorkerErrorCode.STALE_EPOCH) {
            LOG.warn("stopped: {} runId={} epoch={}", failure.getMessage(), run.runId(), run.epoch());
            return false;
        }
        LOG.warn("the worker failed runId={} code={} error={}", run.runId(), failure.code(), failure.getMessage());
        host.stopLeftBehind();
        return switch (failure.code()) {
            case OUT_OF_MEMORY -> mayTakeLess(failure.getMessage());
            case NOT_FINITE, UNSUPPORTED, BAD_CHECKPOINT, PATH_REFUSED, INVALID_REQUEST -> {
                // The same call on the same state fails again.
                giveUp(failure.getMessage(), false);
                yield false;
            }
            case UNAUTHORISED,
                    STALE_EPOCH,
                    NOT_FOUND,
                    NOT_LOADED,
                    STEP_OUT_OF_ORDER,
                    BAD_BATCH,
                    // Somebody may make room.
                    DISK_FULL,
                    INTERNAL,
                    UNREACHABLE,
                    DEADLINE,
                    UNKNOWN -> mayTryAgain(failure.getMessage());
        };
    }

    private boolean mayTakeLess(@Nullable String reason) {
        try {
            if (new MemoryFallback(run, parts.connection())
                    .take(stepAtWork, String.valueOf(reason))
                    .isPresent()) {
                return ending.get() == Ending.NONE;
            }
        } catch (SupersededException e) {
            LOG.warn("{}", e.getMessage());
            return false;
        } catch (KafkaUnavailableException | FencedException e) {
            return mayTryAgain(reason); // it is told when it happens again
        }
        giveUp(
                "the worker runs out of memory with the smallest micro-batches too: %s; shorten rollout.maxResponseTokens or give it more memory"
                        .formatted(reason),
                false);
        return false;
    }

    private boolean mayTryAgain(@Nullable String reason) {
        failures++;
        if (failures <= parts.config().worker().restarts()) {
            LOG.info("recovering runId={} failures={} reason={}", run.runId(), failures, reason);
            return ending.get() == Ending.NONE;
        }
        giveUp("failed %d times without a step in between: %s".formatted(failures, reason), true);
        return false;
    }

    private void giveUp(@Nullable String reason, boolean retry) {
        if (ending.get() != Ending.NONE) {
            return; // The log is another's by now, or nobody waits for it.
        }
        LOG.error("the run is given up runId={} epoch={} retry={} reason={}", run.runId(), run.epoch(), retry, reason);
        // First: whoever is assigned next starts a worker of its own.
        host.stopLeftBehind();
        try (RunJournal journal = RunJournal.open(parts.connection(), run.runId())) {
            journal.append(new TrainerLost(run.runId(), run.epoch(), String.valueOf(reason), retry));
        } catch (KafkaUnavailableException | FencedException e) {
            LOG.error("nobody could be told runId={} error={}", run.runId(), e.getMessage());
        }
    }

    /** Figures asked by scrapes. */
    private record FlowFigures(dev.sluice.trainer.dispatch.GroupFlow flow) implements TrainerMeters.Source {
        @Override
        public int step() {
            return flow.look(TrainingState::completedStep);
        }

        @Override
        public int weightVersion() {
            return flow.look(TrainingState::version);
        }

        @Override
        public int groupsWanted() {
            return flow.look(TrainingState::demand);
        }

        @Override
        public int groupsRunning() {
            return flow.look(state -> state.running().size());
        }

        @Override
        public int groupsReady() {
            return flow.look(TrainingState::ready);
        }
    }
}
