package dev.sluice.rollout;

import dev.sluice.checkpoint.HuggingFaceCheckpoint;
import dev.sluice.checkpoint.Manifest;
import dev.sluice.checkpoint.TensorEntry;
import dev.sluice.events.Backend;
import dev.sluice.events.EngineEvent.EngineReady;
import dev.sluice.events.EngineEvent.PhaseReached;
import dev.sluice.events.EventJson;
import dev.sluice.events.GroupEvent.GroupAbandoned;
import dev.sluice.events.GroupEvent.GroupSampled;
import dev.sluice.events.GroupEvent.SamplesParked;
import dev.sluice.events.GroupTask.GroupRequested;
import dev.sluice.events.GroupTask.Prompt;
import dev.sluice.events.GroupTask.Sampling;
import dev.sluice.events.InstanceSnapshot;
import dev.sluice.events.Plan;
import dev.sluice.events.Plan.EngineLayout;
import dev.sluice.events.Plan.RolloutPlan;
import dev.sluice.events.RunEvent.EngineNode;
import dev.sluice.events.RunEvent.RolloutShare;
import dev.sluice.events.RunEvent.RunAssigned;
import dev.sluice.events.RunEvent.RunPlanned;
import dev.sluice.events.RunEvent.TrainerShare;
import dev.sluice.events.Topics;
import dev.sluice.events.TrainingRequest;
import dev.sluice.events.WeightEvent.Phase;
import dev.sluice.events.WeightEvent.PhaseChanged;
import dev.sluice.events.WeightEvent.WeightsPublished;
import dev.sluice.testkit.EventLog;
import dev.sluice.testkit.KafkaBroker;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** A run as its planner and its trainer would write it, on a tiny model that transformers made. */
final class Scenario implements AutoCloseable {
    static final int SAMPLES = 4;
    static final Duration START = Duration.ofSeconds(60);

    final KafkaBroker kafka;
    final String runId;
    final String instanceId;
    final EventLog log;
    final Path folder;
    final Path model;

    /** What new weights do to samples on the way, as a request says it. */
    String pauseMode = "abort";

    /** Whether its engines take turns with training. */
    TrainingRequest.Placement placement = TrainingRequest.Placement.DISAGGREGATED;

    Scenario(KafkaBroker kafka, Path folder) throws IOException {
        this.kafka = kafka;
        this.folder = folder;
        this.runId = kafka.newRunId("rollout");
        this.instanceId = "rollout-of-" + runId;
        this.model = Files.createDirectories(folder.resolve("model"));
        Files.createDirectories(folder.resolve("data"));
        Path common = Path.of(System.getProperty("sluice.root"), "common");
        copyFiles(common.resolve("checkpoint/src/test/fixtures/hf_tiny"), model);
        Files.copy(
                common.resolve("text/src/test/resources/character-model/tokenizer.json"),
                model.resolve("tokenizer.json"));
        this.log = kafka.follow(Topics.INSTANCES, Topics.ENGINES, Topics.GROUP_EVENTS);
    }

    private static void copyFiles(Path from, Path to) throws IOException {
        try (Stream<Path> files = Files.list(from)) {
            for (Path file : files.toList()) {
                Files.copy(file, to.resolve(file.getFileName().toString()));
            }
        }
    }

    RunningRollout startService() throws IOException {
        return startService(Map.of());
    }

    RunningRollout startService(Map<String, String> environment) throws IOException {
        return RunningRollout.start(kafka, instanceId, folder.resolve("data"), folder, environment);
    }

    /** Waits for the newest incarnation that is not the given one. */
    InstanceSnapshot announced(String notIncarnation) {
        return announced(instanceId, notIncarnation);
    }

    InstanceSnapshot announced(String id, String notIncarnation) {
        return log.await(
                "",
                InstanceSnapshot.class,
                snapshot -> snapshot.instanceId().equals(id)
                        && snapshot.state() == InstanceSnapshot.State.READY
                        && !snapshot.incarnation().equals(notIncarnation),
                START);
    }

    void plan() throws IOException {
        plan(List.of());
    }

    /** @param further arguments of engines */
    void plan(List<String> further) throws IOException {
        TrainingRequest request = EventJson.mapper()
                .readValue(
                        "{\"model\":{\"path\":\"" + model + "\"},\"rollout\":{\"pauseMode\":\"" + pauseMode + "\"},"
                                + "\"weights\":{\"loadDeadlineSeconds\":30}}",
                        TrainingRequest.class);
        List<String> args = new ArrayList<>(List.of(
                "--max-running-requests",
                "16",
                "--context-length",
                "512",
                "--random-seed",
                "1",
                "--skip-server-warmup"));
        args.addAll(further);
        RolloutPlan rollout = new RolloutPlan(1, new EngineLayout(1, 1, 1, 0), args, 8192, 16);
        Plan plan = new Plan(
                Backend.CPU,
                new Plan.ModelFigures("glm4_moe_lite", 1, 1, 1, 512),
                new Plan.TrainingPlan(
                        new Plan.TrainingLayout(1, 1, 1, 1, 1, 1), List.of(), new Plan.Memory(0, 1), true),
                rollout,
                null,
                List.of(),
                List.of(),
                List.of(),
                List.of(),
                placement,
                TrainingRequest.Transport.DISK);
        kafka.publish(new RunPlanned(runId, "sha", request, plan));
    }

    void assign(int epoch, InstanceSnapshot instance, int engines) {
        kafka.publish(new RunAssigned(
                runId,
                epoch,
                new TrainerShare("trainer", "t", 1),
                List.of(new RolloutShare(instance.instanceId(), instance.incarnation(), engines, List.of())),
                "test"));
    }

    /** Brings instances together into one engine, the first as its head. */
    void assignNodes(int epoch, List<InstanceSnapshot> instances) {
        List<RolloutShare> shares = new ArrayList<>();
        for (InstanceSnapshot instance : instances) {
            EngineNode node = new EngineNode(epoch, instances.getFirst().instanceId(), shares.size(), instances.size());
            shares.add(new RolloutShare(instance.instanceId(), instance.incarnation(), 1, List.of(), node));
        }
        kafka.publish(new RunAssigned(runId, epoch, new TrainerShare("trainer", "t", 1), shares, "test"));
    }

    /** Starts the service and brings one engine up. */
    EngineReady begin() throws IOException {
        plan();
        assign(1, announced(""), 1);
        return log.await(runId, EngineReady.class, any -> true, START);
    }

    /** Asks for a phase and waits until the instance is there. */
    PhaseReached phase(int number, Phase phase, int version) {
        kafka.publish(new PhaseChanged(runId, 1, number, phase, version, List.of()));
        return log.await(runId, PhaseReached.class, event -> event.number() == number, START);
    }

    void publishSource() {
        kafka.publish(
                new WeightsPublished(runId, 1, 0, 0, TrainingRequest.Transport.DISK, model.toString(), null, null));
    }

    /** The model's own files again, as another version. */
    void publishWeights(int version) throws IOException {
        Path directory =
                Files.createDirectories(folder.resolve("data/runs/" + runId + "/weights/e1/v%06d".formatted(version)));
        copyFiles(model, directory);
        String sha256 = Manifest.write(directory);
        kafka.publish(new WeightsPublished(
                runId, 1, version, version, TrainingRequest.Transport.DISK, directory.toString(), sha256, null));
    }

    /**
     * A version whose output layer scores every token as the model scores another one.
     *
     * @return where it lies
     */
    Path publishOtherWeights(int version) throws IOException {
        Path directory =
                Files.createDirectories(folder.resolve("data/runs/" + runId + "/weights/e1/v%06d".formatted(version)));
        copyFiles(model, directory);
        try (HuggingFaceCheckpoint checkpoint = HuggingFaceCheckpoint.open(model)) {
            TensorEntry head = checkpoint.tensors().get("lm_head.weight");
            long position = checkpoint.place(head.name()).position();
            Path shard = directory.resolve(
                    checkpoint.place(head.name()).file().getFileName().toString());
            byte[] content = Files.readAllBytes(shard);
            int from = Math.toIntExact(position);
            int to = from + Math.toIntExact(head.bytes());
            int rows = Math.toIntExact(7 * head.bytes() / head.shape().getFirst());
            byte[] rotated = Arrays.copyOfRange(content, from, to);
            System.arraycopy(rotated, 0, content, from + rows, rotated.length - rows);
            System.arraycopy(rotated, rotated.length - rows, content, from, rows);
            Files.write(shard, content);
        }
        String sha256 = Manifest.write(directory);
        kafka.publish(new WeightsPublished(
                runId, 1, version, version, TrainingRequest.Transport.DISK, directory.toString(), sha256, null));
        return directory;
    }

    /** A version one of whose files changed after the manifest was written. */
    void publishBrokenWeights(int version) throws IOException {
        Path directory = Files.createDirectories(folder.resolve("data/runs/" + runId + "/weights/e1/broken"));
        copyFiles(model, directory);
        String sha256 = Manifest.write(directory);
        Path shard = directory.resolve("model-00001-of-00002.safetensors");
        byte[] content = Files.readAllBytes(shard);
        content[content.length - 1] ^= 1;
        Files.write(shard, content);
        kafka.publish(new WeightsPublished(
                runId, 1, version, version, TrainingRequest.Transport.DISK, directory.toString(), sha256, null));
    }

    GroupRequested request(long cursor, int minVersion, @Nullable Integer exactVersion) {
        return request(cursor, minVersion, exactVersion, 16, Duration.ofSeconds(60));
    }

    GroupRequested request(
            long cursor, int minVersion, @Nullable Integer exactVersion, int maxTokens, Duration deadline) {
        GroupRequested task = task(cursor, minVersion, exactVersion, maxTokens, deadline);
        kafka.publish(task);
        return task;
    }

    /** A task that is not sent yet. */
    GroupRequested task(long cursor, int minVersion, @Nullable Integer exactVersion, int maxTokens, Duration deadline) {
        return new GroupRequested(
                runId,
                1,
                runId + "/" + cursor,
                cursor,
                0,
                1,
                instanceId,
                Prompt.of("12+34="),
                "46",
                "exact",
                SAMPLES,
                new Sampling(1, 1, -1, maxTokens, 42 + cursor),
                minVersion,
                exactVersion,
                Instant.now().plus(deadline));
    }

    /** What a trainer does that knows no other instance. */
    void sendAgainWhenGivenBack(GroupRequested task) {
        SamplesParked back =
                log.await(runId, SamplesParked.class, event -> event.groupId().equals(task.groupId()), START);
        kafka.publish(new GroupRequested(
                        runId,
                        1,
                        task.groupId(),
                        task.cursor(),
                        task.round(),
                        task.attempt() + 1,
                        instanceId,
                        task.prompt(),
                        task.label(),
                        task.reward(),
                        task.samples(),
                        task.sampling(),
                        task.minWeightVersion(),
                        task.exactWeightVersion(),
                        Instant.now().plus(START))
                .withParked(back.samples()));
    }

    GroupSampled sampled(GroupRequested task) {
        return log.await(runId, GroupSampled.class, event -> event.groupId().equals(task.groupId()), START);
    }

    GroupAbandoned abandoned(GroupRequested task) {
        return log.await(runId, GroupAbandoned.class, event -> event.groupId().equals(task.groupId()), START);
    }

    @Override
    public void close() {
        log.close();
    }
}
