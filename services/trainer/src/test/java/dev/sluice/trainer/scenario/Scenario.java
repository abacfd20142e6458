package dev.sluice.trainer.scenario;

import dev.sluice.events.Backend;
import dev.sluice.events.Plan;
import dev.sluice.events.Rollout.DynamicFilter;
import dev.sluice.events.TrainingRequest;
import dev.sluice.events.TrainingRequest.Placement;
import dev.sluice.events.TrainingRequest.Transport;
import dev.sluice.kafka.EventPublisher;
import dev.sluice.kafka.KafkaConnection;
import dev.sluice.kafka.StateReader;
import dev.sluice.trainer.Requests;
import dev.sluice.trainer.TrainerConfig;
import dev.sluice.trainer.dispatch.RolloutPool;
import dev.sluice.trainer.loop.Parts;
import dev.sluice.trainer.loop.RunTrainer;
import dev.sluice.trainer.metrics.TrainerMeters;
import dev.sluice.trainer.run.RunSignals;
import dev.sluice.trainer.run.TrainedRun;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/** A run of 8 steps with 2 groups of 2 samples, a cut every third step, and one evaluation set. */
final class Scenario implements AutoCloseable {
    static final int STEPS = 8;
    private static final Duration STOP = Duration.ofSeconds(20);

    final String runId;
    final Path dataRoot;
    final RunSignals signals = new RunSignals();
    Duration evaluationBound = Duration.ofMinutes(60);
    private final KafkaConnection connection;
    int workerMaxTokens = Integer.MAX_VALUE;
    List<String> workerCommand = List.of();
    Plan plan = plan();
    List<TrainingRequest.Guard> guards = List.of();
    /** Of the trainer, besides the scenario's. */
    final Map<String, String> configuration = new HashMap<>();

    private final Map<String, Object> request;
    private final RolloutPool pool = new RolloutPool();
    private final StateReader poolReader;
    private final EventPublisher tasks;

    Scenario(KafkaConnection connection, String runId, Path dataRoot, int maxPolicyLag) throws IOException {
        this(connection, runId, dataRoot, maxPolicyLag, DynamicFilter.NONE);
    }

    Scenario(KafkaConnection connection, String runId, Path dataRoot, int maxPolicyLag, DynamicFilter filter)
            throws IOException {
        this(
                connection,
                runId,
                dataRoot,
                Map.of("rollout.maxPolicyLag", maxPolicyLag, "rollout.dynamicFilter", filter));
    }

    /** @param values of the request besides the scenario's, by path */
    Scenario(KafkaConnection connection, String runId, Path dataRoot, Map<String, Object> values) throws IOException {
        this.connection = connection;
        this.runId = runId;
        this.dataRoot = dataRoot;
        Path prompts = Files.writeString(
                dataRoot.resolve("prompts.jsonl"),
                IntStream.range(0, 10)
                        .mapToObj(i -> "{\"prompt\": \"p%d\", \"label\": \"%d\"}%n".formatted(i, i))
                        .collect(Collectors.joining()));
        this.request = values(prompts, dataRoot, values);
        this.poolReader = StateReader.start(
                connection,
                List.of(dev.sluice.events.Topics.INSTANCES, dev.sluice.events.Topics.ENGINES),
                record -> pool.accept(record.event()));
        this.tasks = EventPublisher.prompt(connection);
        signals.converted().complete(converted().toString());
        signals.started().complete(null);
    }

    RunTrainer trainer(int epoch) {
        TrainedRun run = TrainedRun.of(
                runId, epoch, guarded(), plan, dataRoot.resolve("runs").resolve(runId));
        Parts parts = new Parts(
                "trainer-test",
                connection,
                config(),
                pool,
                tasks::publish,
                List.of(dataRoot),
                new Meters(),
                Clock.systemUTC());
        return new RunTrainer(run, signals, parts, () -> {
            throw new AssertionError("the broker was lost");
        });
    }

    /** Changes the run's request, before its trainer begins. */
    void set(String path, Object value) {
        request.put(path, value);
    }

    /** The run's request with other values, by path. */
    TrainingRequest request(Map<String, Object> others) {
        Map<String, Object> values = new HashMap<>(request);
        values.putAll(others);
        return Requests.with(values);
    }

    /** Where the converter would put the model. */
    Path converted() {
        return dataRoot.resolve("converted");
    }

    private TrainingRequest guarded() {
        TrainingRequest plain = request(Map.of());
        return new TrainingRequest(
                plain.name(),
                plain.backend(),
                plain.model(),
                plain.versions(),
                plain.cluster(),
                plain.data(),
                plain.reward(),
                plain.evaluation(),
                plain.rollout(),
                plain.algorithm(),
                plain.training(),
                plain.weights(),
                plain.checkpoints(),
                guards,
                plain.scheduling());
    }

    Path pidFile() {
        return dataRoot.resolve("runs").resolve(runId).resolve("worker.json");
    }

    private static final class Meters extends TrainerMeters {
        Meters() {
            super(new SimpleMeterRegistry());
        }
    }

    TrainerConfig config() {
        String command = workerCommand.isEmpty() ? chainWorker() : String.join(",", workerCommand);
        Map<String, String> values = new HashMap<>(Map.of(
                plan.backend() == Backend.GPU ? "sluice.trainer.worker.gpu-command" : "sluice.trainer.worker.command",
                command,
                "sluice.trainer.worker.environment." + ChainWorkerMain.MAX_TOKENS,
                Integer.toString(workerMaxTokens),
                "sluice.trainer.waits.evaluation",
                evaluationBound.toString()));
        values.putAll(configuration);
        return dev.sluice.trainer.Configs.of(values);
    }

    private static String chainWorker() {
        return String.join(
                ",",
                ProcessHandle.current().info().command().orElseThrow(),
                "-XX:TieredStopAtLevel=1",
                "-Xmx64m",
                "-cp",
                System.getProperty("java.class.path").replace(",", "\\,"),
                ChainWorkerMain.class.getName());
    }

    private static Map<String, Object> values(Path prompts, Path model, Map<String, Object> further) {
        Map<String, Object> values = new HashMap<>(Map.ofEntries(
                Map.entry("model.path", model.toString()),
                Map.entry("data.prompts", prompts.toString()),
                Map.entry("data.seed", 7),
                Map.entry(
                        "evaluation",
                        List.of(new TrainingRequest.Evaluation("held-out", prompts.toString(), 0, 1, 4, 0))),
                Map.entry("rollout.engines", 1),
                Map.entry("rollout.groupsPerStep", 2),
                Map.entry("rollout.samplesPerPrompt", 2),
                Map.entry("rollout.maxResponseTokens", 8),
                Map.entry("rollout.groupDeadlineSeconds", 60),
                Map.entry("training.steps", STEPS),
                Map.entry("training.layout", Map.of("tokensPerGpu", 64)),
                Map.entry("training.learningRate", 1e-3),
                Map.entry("training.weightDecay", 0),
                Map.entry("weights.transport", "disk"),
                Map.entry("checkpoints.everySteps", 3),
                Map.entry("checkpoints.keepLast", 2)));
        values.putAll(further);
        return values;
    }

    /** The same with engines beside training or in turns with it. */
    static Plan plan(Placement placement, Transport transport) {
        Plan plain = plan();
        return new Plan(
                plain.backend(),
                plain.model(),
                plain.training(),
                plain.rollout(),
                null,
                List.of(),
                List.of(),
                List.of(),
                List.of(),
                placement,
                transport);
    }

    static Plan plan() {
        return new Plan(
                Backend.CPU,
                new Plan.ModelFigures("glm4_moe_lite", 1, 1, 0, 64),
                new Plan.TrainingPlan(
                        new Plan.TrainingLayout(1, 1, 1, 1, 1, 1), List.of(), new Plan.Memory(0, 1), false),
                new Plan.RolloutPlan(1, new Plan.EngineLayout(1, 1, 1, 0), List.of(), 1024, 8),
                null,
                List.of(),
                List.of());
    }

    /** Ends a worker that a killed trainer left. */
    void stopWorker() throws IOException {
        dev.sluice.process.PidFile.read(pidFile())
                .flatMap(dev.sluice.process.PidFile::process)
                .ifPresent(process -> {
                    process.destroyForcibly();
                    process.onExit()
                            .orTimeout(STOP.toSeconds(), java.util.concurrent.TimeUnit.SECONDS)
                            .join();
                });
    }

    @Override
    public void close() throws IOException {
        stopWorker();
        poolReader.close();
        tasks.close();
    }
}
