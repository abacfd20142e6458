package dev.sluice.rollout;

import dev.sluice.checkpoint.Manifest;
import dev.sluice.events.EngineEvent;
import dev.sluice.events.GroupTask.GroupRequested;
import dev.sluice.events.GroupTask.Prompt;
import dev.sluice.events.GroupTask.Sampling;
import dev.sluice.events.Plan.Fallback;
import dev.sluice.events.Rollout.PartialRollout;
import dev.sluice.events.Rollout.PauseMode;
import dev.sluice.events.TrainingRequest;
import dev.sluice.events.WeightEvent.Phase;
import dev.sluice.events.WeightEvent.PhaseChanged;
import dev.sluice.events.WeightEvent.WeightsPublished;
import dev.sluice.rollout.assignment.Share;
import dev.sluice.rollout.assignment.Share.EngineRecipe;
import dev.sluice.rollout.engine.EngineDeadlines;
import dev.sluice.rollout.engine.EngineFigures;
import dev.sluice.rollout.environment.Environments;
import dev.sluice.rollout.hook.OwnFunctions;
import dev.sluice.rollout.reward.OwnRewards;
import dev.sluice.rollout.reward.Rewards;
import dev.sluice.rollout.sampling.GroupSampler;
import dev.sluice.rollout.task.GroupFigures;
import dev.sluice.rollout.task.TaskArrival;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicInteger;

/** One run on one instance whose engines, log and time are in a test's hands. */
final class FakeRun {
    static final int SAMPLES = 4;
    static final Path MODEL =
            Path.of(System.getProperty("sluice.root")).resolve("common/text/src/test/resources/character-model");

    final ManualCore core;
    final FakeEngines engines;
    final RecordedEvents log;
    private final Path folder;
    private final RunRollout.Surroundings around;
    final RunRollout run;
    final Share share;

    /** A run that is not served yet. */
    FakeRun(Path folder, int enginesInAll, List<String> args, Fallback... fallbacks) {
        this(folder, enginesInAll, new Environments(List.of(), 4, List.of()), args, fallbacks);
    }

    /** A run with environments that is not served yet. */
    FakeRun(Path folder, int enginesInAll, Environments environments, List<String> args, Fallback... fallbacks) {
        this(folder, enginesInAll, environments, new OwnFunctions(List.of(), 4, () -> ""), args, fallbacks);
    }

    /** A run with functions of one's own that is not served yet. */
    FakeRun(Path folder, OwnFunctions functions) {
        this(folder, 1, new Environments(List.of(), 4, List.of()), functions, List.of());
    }

    private FakeRun(
            Path folder,
            int enginesInAll,
            Environments environments,
            OwnFunctions functions,
            List<String> args,
            Fallback... fallbacks) {
        this.core = new ManualCore();
        this.engines = new FakeEngines();
        this.log = new RecordedEvents();
        this.folder = folder;
        AtomicInteger ids = new AtomicInteger();
        var deadlines = new EngineDeadlines(
                Duration.ofSeconds(120),
                Duration.ofSeconds(60),
                Duration.ofSeconds(2),
                Duration.ofSeconds(60),
                Duration.ofSeconds(90),
                Duration.ofSeconds(2),
                new EngineDeadlines.Watch(Duration.ofSeconds(30), Duration.ofSeconds(30), Duration.ofSeconds(60)));
        var registry = new SimpleMeterRegistry();
        var around = new RunRollout.Surroundings(
                "rollout-1",
                "now",
                core,
                log,
                engines,
                deadlines,
                path -> Optional.empty(),
                () -> "engine-" + ids.incrementAndGet(),
                folder.resolve("local-weights"),
                new EngineFigures(registry),
                new GroupFigures(registry),
                new GroupSampler.Others(new Rewards(List.of(), 4, new OwnRewards(List.of())), environments, functions));
        var recipe = new EngineRecipe(
                MODEL.toString(),
                args,
                8,
                Duration.ofSeconds(60),
                Map.of(),
                List.of(fallbacks),
                PauseMode.ABORT,
                false);
        this.around = around;
        share = new Share("run", 1, enginesInAll, List.of(), recipe);
        run = new RunRollout(around, share);
    }

    private FakeRun(FakeRun other, Share share) {
        this.core = other.core;
        this.engines = other.engines;
        this.log = other.log;
        this.folder = other.folder;
        this.around = other.around;
        this.share = share;
        this.run = new RunRollout(around, share);
    }

    /** The same run, whose new weights do this to samples on the way; before it is served. */
    FakeRun pausing(PauseMode mode) {
        return with(mode, share.recipe().colocated());
    }

    /** The same run, whose engines take turns with training on their GPUs; before it is served. */
    FakeRun colocated() {
        return with(share.recipe().pauseMode(), true);
    }

    private FakeRun with(PauseMode mode, boolean colocated) {
        EngineRecipe recipe = share.recipe();
        var other = new EngineRecipe(
                recipe.modelPath(),
                recipe.args(),
                8,
                recipe.weightLoadDeadline(),
                Map.of(),
                List.of(),
                mode,
                colocated);
        return new FakeRun(this, share.withRecipe(other));
    }

    FakeRun serve() {
        run.serve(share, List.of());
        core.settle();
        return this;
    }

    /** One process of an engine of several nodes. */
    FakeRun serveAs(Share.Node node) {
        return serveAs(node, 1);
    }

    /** The same under a later assignment. */
    FakeRun serveAs(Share.Node node, int epoch) {
        run.serve(new Share("run", epoch, 1, List.of(0, 1), share.recipe(), node), List.of());
        core.settle();
        return this;
    }

    /** Another instance says this of its process. */
    void hear(EngineEvent event) {
        run.heard(event);
        core.settle();
    }

    /** A group that any version may sample, with an hour to do it. */
    void request(long cursor) {
        request(task(cursor, PartialRollout.RESTART));
    }

    /** The same, with what becomes of samples that a pause interrupts. */
    GroupRequested task(long cursor, PartialRollout partialRollout) {
        return new GroupRequested(
                "run",
                1,
                "run/" + cursor,
                cursor,
                0,
                1,
                "rollout-1",
                Prompt.of("1+1="),
                "01",
                "exact",
                SAMPLES,
                new Sampling(1, 1, -1, 8, 42),
                0,
                null,
                core.now().plusSeconds(3600),
                partialRollout,
                List.of(),
                null,
                null,
                null,
                null);
    }

    /** From nowhere, long ago. */
    static TaskArrival arrival() {
        return new TaskArrival(UUID.randomUUID(), Instant.EPOCH, Instant.EPOCH);
    }

    void request(GroupRequested task) {
        run.accept(task, arrival());
        core.settle();
    }

    /** The instance ends at once. */
    void drain() {
        run.drain("it is over", Duration.ZERO, core);
        core.settle();
    }

    /** The trainer asks for a phase; the engines are those that it has sent the version to. */
    void phase(int number, Phase phase, int version, String... engineIds) {
        phase(1, number, phase, version, engineIds);
    }

    /** The same of a trainer's epoch. */
    void phase(int epoch, int number, Phase phase, int version, String... engineIds) {
        run.changed(new PhaseChanged("run", epoch, number, phase, version, List.of(engineIds)));
        core.settle();
    }

    /** A version that has no files. */
    void publishDirectly(int version, TrainingRequest.Transport transport) {
        run.published(new WeightsPublished("run", 1, version, version, transport, null, null, null));
        core.settle();
    }

    void publish(int version) throws IOException {
        Path directory = Files.createDirectories(folder.resolve("v" + version));
        Files.writeString(directory.resolve("weights"), "version " + version);
        String sha256 = Manifest.write(directory);
        run.published(new WeightsPublished(
                "run", 1, version, version, TrainingRequest.Transport.DISK, directory.toString(), sha256, null));
        core.settle();
    }
}
