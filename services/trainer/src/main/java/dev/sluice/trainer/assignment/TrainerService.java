package dev.sluice.trainer.assignment;

import dev.sluice.events.InstanceSnapshot;
import dev.sluice.events.RunEvent.RunPlanned;
import dev.sluice.events.RunEvent.TrainerShare;
import dev.sluice.events.Topics;
import dev.sluice.kafka.EventPublisher;
import dev.sluice.kafka.KafkaConnection;
import dev.sluice.kafka.StateReader;
import dev.sluice.quarkus.Instance;
import dev.sluice.quarkus.Readers;
import dev.sluice.quarkus.Roots;
import dev.sluice.trainer.TrainerConfig;
import dev.sluice.trainer.dispatch.RolloutPool;
import dev.sluice.trainer.loop.Parts;
import dev.sluice.trainer.loop.RunTrainer;
import dev.sluice.trainer.metrics.TrainerMeters;
import dev.sluice.trainer.run.RunSignals;
import dev.sluice.trainer.run.TrainedRun;
import dev.sluice.trainer.run.WorkerPlace;
import dev.sluice.trainer.worker.NodeWorker;
import io.quarkus.runtime.Quarkus;
import io.quarkus.runtime.ShutdownEvent;
import io.quarkus.runtime.StartupEvent;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Observes;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/** This service: follows runs, trains those that are assigned to it, and says every two seconds that it lives. */
@ApplicationScoped
public class TrainerService implements RunFollower.Training {
    private static final int EXIT_BROKER_LOST = 4;
    private static final Duration STOP_GRACE = Duration.ofSeconds(9);

    private final KafkaConnection connection;
    private final Readers readers;
    private final Roots roots;
    private final Instance instance;
    private final TrainerConfig config;
    private final TrainerMeters meters;
    private final Clock clock = Clock.systemUTC();
    private final RolloutPool pool = new RolloutPool();
    private final Map<String, RunTrainer> trainers = new ConcurrentHashMap<>();
    private final Map<String, NodeWorker> nodes = new ConcurrentHashMap<>();
    private final EventPublisher tasks;
    private final Heartbeat heartbeat;

    TrainerService(
            KafkaConnection connection,
            Readers readers,
            Roots roots,
            Instance instance,
            TrainerConfig config,
            TrainerMeters meters) {
        this.connection = connection;
        this.readers = readers;
        this.roots = roots;
        this.instance = instance;
        this.config = config;
        this.meters = meters;
        this.tasks = EventPublisher.prompt(connection);
        this.heartbeat = new Heartbeat(tasks, instance, config, clock);
    }

    void start(@Observes StartupEvent started) {
        RunFollower follower = new RunFollower(instance.id(), instance.incarnation(), this);
        readers.track(
                "pool",
                StateReader.start(
                        connection, List.of(Topics.INSTANCES, Topics.ENGINES), record -> pool.accept(record.event())));
        StateReader runs = readers.track(
                "runs",
                StateReader.start(
                        connection,
                        List.of(Topics.RUN_EVENTS, Topics.RUN_REQUESTS, Topics.CHECKPOINTS),
                        record -> follower.accept(record.event())));
        // Nothing is assigned to this process before it was heard of.
        runs.caughtUp().thenRun(heartbeat::start);
    }

    void stop(@Observes ShutdownEvent stopping) {
        List.copyOf(trainers.values()).parallelStream().forEach(trainer -> trainer.end(STOP_GRACE));
        List.copyOf(nodes.values()).parallelStream().forEach(node -> node.stop(STOP_GRACE));
        // Only now: another trainer would start its worker while we still end ours.
        heartbeat.stop(InstanceSnapshot.State.STOPPED);
        tasks.close();
    }

    @Override
    public void begin(RunPlanned planned, TrainerShare share, RunSignals signals) {
        TrainedRun run = run(planned, share).at(new WorkerPlace(share.gpus(), share.host()));
        Parts parts = new Parts(instance.id(), connection, config, pool, tasks::publish, roots.all(), meters, clock);
        RunTrainer trainer = new RunTrainer(run, signals, parts, () -> Quarkus.asyncExit(EXIT_BROKER_LOST));
        trainers.put(planned.runId(), trainer);
        trainer.start();
    }

    private TrainedRun run(RunPlanned planned, TrainerShare share) {
        String runId = planned.runId();
        return TrainedRun.of(runId, share.trainerEpoch(), planned.request(), planned.plan(), roots.run(runId));
    }

    @Override
    public void serve(RunPlanned planned, TrainerShare share, int rank) {
        WorkerPlace place = new WorkerPlace(share.others().get(rank - 1).gpus(), share.host());
        NodeWorker node = new NodeWorker(run(planned, share).at(place), rank, config.worker(), roots.all());
        nodes.put(planned.runId(), node);
        node.start();
    }

    @Override
    public void leave(String runId) {
        NodeWorker node = nodes.remove(runId);
        if (node != null) {
            Thread.ofVirtual().name("leave-" + runId).start(() -> node.stop(STOP_GRACE));
        }
    }

    @Override
    public void supersede(String runId) {
        RunTrainer trainer = trainers.remove(runId);
        if (trainer != null) {
            trainer.supersede();
        }
    }

    @Override
    public void end(String runId) {
        RunTrainer trainer = trainers.remove(runId);
        if (trainer != null) {
            // Not on the reader's thread: the worker has a few seconds to end.
            Thread.ofVirtual().name("end-" + runId).start(() -> trainer.end(STOP_GRACE));
        }
    }
}
