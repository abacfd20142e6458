package dev.sluice.trainer.scenario;

import dev.sluice.events.EngineEvent.EnginePlace;
import dev.sluice.events.EngineEvent.EngineReady;
import dev.sluice.events.EngineEvent.EngineStopped;
import dev.sluice.events.EngineEvent.PhaseReached;
import dev.sluice.events.EngineEvent.WeightsLoaded;
import dev.sluice.events.Event;
import dev.sluice.events.Float32Array;
import dev.sluice.events.GroupEvent.FinishReason;
import dev.sluice.events.GroupEvent.GroupAbandoned;
import dev.sluice.events.GroupEvent.GroupSampled;
import dev.sluice.events.GroupEvent.GroupStarted;
import dev.sluice.events.GroupEvent.Sample;
import dev.sluice.events.GroupEvent.VersionSpan;
import dev.sluice.events.GroupTask;
import dev.sluice.events.GroupTask.GroupRequested;
import dev.sluice.events.InstanceSnapshot;
import dev.sluice.events.Int32Array;
import dev.sluice.events.RunEvent.RolloutShare;
import dev.sluice.events.Topics;
import dev.sluice.events.UInt8Array;
import dev.sluice.events.WeightEvent.Phase;
import dev.sluice.events.WeightEvent.PhaseChanged;
import dev.sluice.events.WeightEvent.WeightsPublished;
import dev.sluice.kafka.AddressedReader;
import dev.sluice.kafka.EventPublisher;
import dev.sluice.kafka.KafkaConnection;
import dev.sluice.kafka.StateReader;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.LongPredicate;
import java.util.function.LongToIntFunction;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * A rollout instance with one engine that answers every task at once, with tokens that follow from the task's seed. It can
 * be told to answer nothing more from a weight version on, so that a run stands still while a test does something to it.
 */
final class SmallRollout implements AutoCloseable {
    private static final String INCARNATION = "i1";

    private final String runId;
    private final String instanceId;
    private final EventPublisher publisher;
    private final AddressedReader tasks;
    private final StateReader weights;
    private final ScheduledExecutorService heart = Executors.newSingleThreadScheduledExecutor();
    private final List<GroupRequested> requested = new CopyOnWriteArrayList<>();
    private final List<GroupRequested> waiting = new ArrayList<>();
    private int version;
    private LongPredicate solved = cursor -> false;
    private LongToIntFunction lengths = cursor -> 0;
    private int pausesAt = Integer.MAX_VALUE;
    private long slow = -1;
    private int slowUntil;
    private int slowSince;
    private int newest;
    private boolean newestHasFiles = true;
    private final int requests;
    private @Nullable PhaseChanged phase;
    private @Nullable String refusal;
    private final Set<Phase> muted = EnumSet.noneOf(Phase.class);
    private int mutedFrom;
    private int life = 1;
    private boolean ready = true;
    private boolean refuses;
    private SmallEngine held = new SmallEngine();
    private @Nullable Path notes;
    private boolean measures = true;

    SmallRollout(KafkaConnection connection, String runId) {
        this(connection, runId, "rollout-" + runId);
    }

    SmallRollout(KafkaConnection connection, String runId, String instanceId) {
        this(connection, runId, instanceId, 8);
    }

    /** @param requests samples that its engine runs at once */
    SmallRollout(KafkaConnection connection, String runId, String instanceId, int requests) {
        this.runId = runId;
        this.instanceId = instanceId;
        this.requests = requests;
        this.publisher = EventPublisher.prompt(connection);
        this.tasks = AddressedReader.start(
                connection, Topics.GROUP_TASKS, instanceId, record -> take((GroupTask) record.event()));
        tasks.listening().join();
        heart.scheduleAtFixedRate(() -> publisher.publish(snapshot()), 0, 1, TimeUnit.SECONDS);
        publisher.publishAndWait(new EngineReady(runId, 1, engine(), instanceId, INCARNATION, 0, requests, 1), null);
        this.weights = StateReader.start(connection, List.of(Topics.WEIGHTS), record -> load(record.event()));
        weights.awaitCaughtUp(Duration.ofSeconds(20));
    }

    List<GroupRequested> requested() {
        return List.copyOf(requested);
    }

    /** Prompts whose samples all get the reward 1; with any other, every second does. */
    synchronized void solve(LongPredicate cursors) {
        solved = cursors;
    }

    /** From now on it answers each group with this instead of samples. */
    synchronized void refuse(String reason) {
        refusal = reason;
    }

    /** This prompt's samples have a first token of the version of when they are asked for, and end at this version at the earliest. */
    synchronized void spread(long cursor, int untilVersion) {
        slow = cursor;
        slowUntil = untilVersion;
    }

    /** Tokens of responses by prompt, below the example model's vocabulary; 0 for 2 to 4 of them. */
    synchronized void lengthen(LongToIntFunction tokens) {
        lengths = tokens;
    }

    /** From this weight version on, tasks wait for {@link #goOn}. */
    synchronized void pauseAt(int weightVersion) {
        pausesAt = weightVersion;
    }

    synchronized void goOn() {
        pausesAt = Integer.MAX_VALUE;
        sampleWhatMay();
    }

    /** Evaluation groups are begun, and wait for {@link #measure}. */
    synchronized void holdEvaluation() {
        measures = false;
    }

    synchronized void measure() {
        measures = true;
        sampleWhatMay();
    }

    /** What an assignment says of it. */
    RolloutShare share() {
        return new RolloutShare(instanceId, INCARNATION, 1, List.of());
    }

    /** A file that gets a line for each phase that its engine comes to. */
    synchronized void note(Path file) {
        notes = file;
    }

    /** From this weight version on, it does not say that it has come to that phase. */
    synchronized void mute(Phase silentIn, int fromVersion) {
        muted.add(silentIn);
        mutedFrom = fromVersion;
    }

    synchronized void speak() {
        muted.clear();
        tell();
    }

    /** Its engines answer no worker. */
    synchronized void refuseWeights(boolean everything) {
        refuses = everything;
        held.refuse(everything);
    }

    /** Its engine dies, and another one starts, which holds the model as it came. */
    synchronized void replaceEngine() {
        publisher.publish(new EngineStopped(runId, 1, engine(), instanceId, "replaced", 1, List.of()));
        held.close();
        held = new SmallEngine();
        held.refuse(refuses);
        life++;
        version = 0;
        ready = false;
        if (newestHasFiles) {
            comeTo(newest);
        }
        tell();
    }

    private String engine() {
        return instanceId + "-" + INCARNATION + "-" + life;
    }

    private synchronized void load(Event event) {
        if (event instanceof WeightsPublished published
                && published.runId().equals(runId)
                && published.version() > newest) {
            newest = published.version();
            newestHasFiles = published.directory() != null;
            if (newestHasFiles && (phase == null || phase.phase() == Phase.GENERATE)) {
                loadNewest();
            }
            sampleWhatMay();
        } else if (event instanceof PhaseChanged changed
                && changed.runId().equals(runId)
                && (phase == null || changed.number() > phase.number())) {
            follow(changed);
        }
    }

    private void follow(PhaseChanged changed) {
        boolean stood = phase != null && phase.phase() == Phase.SYNC;
        phase = changed;
        if (notes != null) {
            write(notes, "phase " + changed.phase());
        }
        if (changed.phase() == Phase.GENERATE) {
            if (changed.engines().contains(engine())) {
                comeTo(held.version());
            } else if (stood) {
                replaceEngine();
            } else if (newestHasFiles) {
                comeTo(changed.weightVersion());
            }
        }
        tell();
        sampleWhatMay();
    }

    private static void write(Path file, String line) {
        try {
            Files.writeString(file, line + "\n", StandardOpenOption.CREATE, StandardOpenOption.APPEND);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private void tell() {
        if (phase == null || muted.contains(phase.phase()) && newest >= mutedFrom) {
            return;
        }
        EnginePlace place = new EnginePlace(engine(), held.address(), 1, !ready && !newestHasFiles);
        publisher.publish(new PhaseReached(runId, 1, instanceId, INCARNATION, phase.number(), List.of(place)));
    }

    /** The engine keeps its version while a group waits that no other may sample. */
    private void loadNewest() {
        if (newest > version && waiting.stream().noneMatch(group -> isOnlyFor(group, version))) {
            comeTo(newest);
        }
    }

    private void comeTo(int loaded) {
        version = loaded;
        if (ready) {
            publisher.publish(new WeightsLoaded(runId, 1, engine(), instanceId, version, 0.01, List.of("manifest")));
        } else {
            ready = true;
            publisher.publish(new EngineReady(runId, 1, engine(), instanceId, INCARNATION, version, requests, 1));
        }
    }

    private boolean works() {
        return ready && version < pausesAt && (phase == null || phase.phase() == Phase.GENERATE);
    }

    private static boolean isOnlyFor(GroupRequested group, int version) {
        return group.exactWeightVersion() != null && group.exactWeightVersion() == version;
    }

    private synchronized void take(GroupTask task) {
        if (task instanceof GroupRequested group && group.runId().equals(runId)) {
            requested.add(group);
            publisher.publish(new GroupStarted(
                    runId, group.epoch(), group.groupId(), group.round(), group.attempt(), instanceId));
            waiting.add(group);
            slowSince = isSlow(group) ? version : slowSince;
            sampleWhatMay();
        } else if (task instanceof GroupTask.GroupWithdrawn withdrawn
                && waiting.removeIf(group -> group.groupId().equals(withdrawn.groupId()))) {
            if (newestHasFiles && (phase == null || phase.phase() == Phase.GENERATE)) {
                loadNewest();
            }
            sampleWhatMay();
        }
    }

    private void sampleWhatMay() {
        if (works()) {
            List<GroupRequested> allowed = waiting.stream()
                    .filter(group -> group.evaluation()
                            ? measures && isOnlyFor(group, version)
                            : group.minWeightVersion() <= version && !(isSlow(group) && version < slowUntil))
                    .toList();
            waiting.removeAll(allowed);
            allowed.forEach(group -> publisher.publish(refusal == null ? sampled(group) : abandoned(group, refusal)));
            if (!allowed.isEmpty() && newest > version && newestHasFiles) {
                loadNewest();
                sampleWhatMay();
            }
        }
    }

    private boolean isSlow(GroupRequested group) {
        return !group.evaluation() && group.cursor() == slow;
    }

    private GroupAbandoned abandoned(GroupRequested group, String reason) {
        return new GroupAbandoned(
                runId,
                group.epoch(),
                group.groupId(),
                group.cursor(),
                group.round(),
                group.attempt(),
                instanceId,
                reason,
                0);
    }

    private GroupSampled sampled(GroupRequested group) {
        List<Sample> samples = new ArrayList<>();
        for (int index = 0; index < group.samples(); index++) {
            samples.add(sample(index, group, isSlow(group) ? slowSince : version));
        }
        return new GroupSampled(
                runId,
                group.epoch(),
                group.groupId(),
                group.cursor(),
                group.round(),
                group.attempt(),
                instanceId,
                Int32Array.of(1, 2, 3),
                samples,
                0,
                0.01,
                null);
    }

    private Sample sample(int index, GroupRequested group, int firstVersion) {
        long seed = group.sampling().seed();
        int given = lengths.applyAsInt(group.cursor());
        int length = given > 0 ? given : 2 + (int) ((seed + index) % 3);
        int[] tokens = IntStream.range(0, length)
                .map(i -> (int) ((seed / 7 + 31L * index + i) % 61))
                .toArray();
        byte[] mask = new byte[length];
        java.util.Arrays.fill(mask, (byte) 1);
        return new Sample(
                index,
                Int32Array.of(tokens),
                Float32Array.of(new float[length]),
                UInt8Array.of(mask),
                solved.test(group.cursor()) ? 1.0 : index % 2,
                null,
                FinishReason.STOP,
                firstVersion == version
                        ? List.of(new VersionSpan(version, length))
                        : List.of(new VersionSpan(firstVersion, 1), new VersionSpan(version, length - 1)),
                engine(),
                0,
                0,
                0,
                null,
                null,
                null,
                null);
    }

    private InstanceSnapshot snapshot() {
        return new InstanceSnapshot(
                instanceId,
                INCARNATION,
                InstanceSnapshot.Role.ROLLOUT,
                InstanceSnapshot.State.READY,
                "localhost",
                1,
                dev.sluice.events.Backend.CPU,
                0,
                1024,
                1,
                0,
                Map.of(),
                Instant.now());
    }

    @Override
    public void close() {
        heart.shutdownNow();
        tasks.close();
        weights.close();
        held.close();
        publisher.close();
    }
}
