package dev.sluice.rollout.task;

import dev.sluice.events.GroupEvent.FinishReason;
import dev.sluice.events.GroupEvent.GroupAbandoned;
import dev.sluice.events.GroupEvent.GroupSampled;
import dev.sluice.events.GroupEvent.GroupStarted;
import dev.sluice.events.GroupEvent.Sample;
import dev.sluice.events.GroupTask.GroupRequested;
import dev.sluice.events.Int32Array;
import dev.sluice.rollout.sampling.GroupSampler;
import dev.sluice.rollout.sampling.SampleOutcome;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.TreeMap;
import java.util.UUID;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/** One group from its task to its result. Used on the core's thread. */
final class GroupWork {
    /** How often one sample may fail before its failure is its result. */
    static final int SAMPLE_ATTEMPTS = 2;

    private final Instant accepted;
    private final TreeMap<Integer, Sample> done = new TreeMap<>();
    private final int[] refusals;
    private final Set<GroupBatch> running = new HashSet<>();
    private GroupRequested task;
    private UUID cause;
    private Int32Array promptTokens = Int32Array.EMPTY;
    private int tokensAborted;
    private int dispatches;
    private @Nullable String ending;
    private boolean scoring;
    private boolean answered;

    GroupWork(GroupRequested task, UUID cause, Instant accepted) {
        this.task = task;
        this.cause = cause;
        this.accepted = accepted;
        this.refusals = new int[task.samples()];
    }

    GroupRequested task() {
        return task;
    }

    UUID cause() {
        return cause;
    }

    GroupKey key() {
        return new GroupKey(task.groupId(), task.round());
    }

    VersionBound bound() {
        return VersionBound.of(task);
    }

    Set<GroupBatch> running() {
        return running;
    }

    /** The same round was asked for again: the newest task is answered, with what is done already where its bound allows. */
    boolean renew(GroupRequested newer, UUID newerCause) {
        boolean older =
                newer.epoch() < task.epoch() || newer.epoch() == task.epoch() && newer.attempt() <= task.attempt();
        if (older || newer.samples() != task.samples()) {
            return false;
        }
        task = newer;
        cause = newerCause;
        List<Sample> unfit = done.values().stream()
                .filter(sample -> !sample.versions().stream().allMatch(span -> bound().accepts(span.version())))
                .toList();
        unfit.forEach(sample -> {
            done.remove(sample.index());
            tokensAborted += sample.tokens().length();
        });
        return true;
    }

    /** Places in the group that neither are done nor run. */
    List<Integer> pending() {
        Set<Integer> taken = new HashSet<>(done.keySet());
        running.forEach(batch -> taken.addAll(batch.indexes));
        return IntStream.range(0, task.samples())
                .filter(index -> !taken.contains(index))
                .boxed()
                .toList();
    }

    /** An id prefix that no other call to an engine has. */
    String nextRidPrefix() {
        dispatches++;
        return "%s#%d.%d.%d/".formatted(task.groupId(), task.round(), task.attempt(), dispatches);
    }

    void promptTokens(int[] tokens) {
        promptTokens = Int32Array.of(tokens);
    }

    void take(SampleOutcome outcome, String engineId) {
        switch (outcome) {
            case SampleOutcome.Accepted accepted -> {
                // A renewed task may forbid the version that was right when the call went out.
                if (accepted.sample().versions().stream().allMatch(span -> bound().accepts(span.version()))) {
                    done.put(accepted.index(), accepted.sample());
                } else {
                    tokensAborted += accepted.sample().tokens().length();
                }
            }
            case SampleOutcome.Aborted aborted -> tokensAborted += aborted.tokens();
            case SampleOutcome.Refused refused -> {
                tokensAborted += refused.tokens();
                refuse(refused.index(), engineId, refused.reason());
            }
        }
    }

    void refuse(int index, String engineId, String reason) {
        refusals[index]++;
        if (refusals[index] >= SAMPLE_ATTEMPTS) {
            done.put(index, GroupSampler.failed(index, engineId, reason));
        }
    }

    boolean complete() {
        return done.size() == task.samples();
    }

    int finished() {
        return done.size();
    }

    /** Its samples are complete and their rewards are being asked for. */
    boolean scoring() {
        return scoring;
    }

    List<Sample> beginScoring() {
        scoring = true;
        return List.copyOf(done.values());
    }

    /** Takes rewards; a sample that a renewed task forbade meanwhile stays away. */
    void scored(List<Sample> scored) {
        scoring = false;
        scored.forEach(sample -> done.computeIfPresent(sample.index(), (index, known) -> sample));
    }

    /** Rewards could not be asked for. */
    void unscored(String reason) {
        scoring = false;
        done.replaceAll((index, sample) -> GroupSampler.unscored(sample, reason));
    }

    /** Why every sample failed, if every one did. */
    @Nullable
    String failure() {
        boolean failed = done.values().stream().allMatch(sample -> sample.finishReason() == FinishReason.FAILED);
        return failed ? "all samples failed: " + done.firstEntry().getValue().unscored() : null;
    }

    /** No more samples are wanted. */
    void endBecause(String reason) {
        ending = reason;
    }

    @Nullable
    String ending() {
        return ending;
    }

    /** Its result is on its way to the log. */
    boolean answered() {
        return answered;
    }

    void answer() {
        answered = true;
    }

    GroupStarted started() {
        return new GroupStarted(
                task.runId(), task.epoch(), task.groupId(), task.round(), task.attempt(), task.instanceId());
    }

    GroupSampled sampled(Instant now) {
        return new GroupSampled(
                task.runId(),
                task.epoch(),
                task.groupId(),
                task.cursor(),
                task.round(),
                task.attempt(),
                task.instanceId(),
                promptTokens,
                new ArrayList<>(done.values()),
                tokensAborted,
                Duration.between(accepted, now).toMillis() / 1000.0);
    }

    GroupAbandoned abandoned(String reason) {
        int tokensDone = done.values().stream()
                .mapToInt(sample -> sample.tokens().length())
                .sum();
        return abandoned(task, reason, tokensAborted + tokensDone);
    }

    static GroupAbandoned abandoned(GroupRequested task, String reason, int tokens) {
        return new GroupAbandoned(
                task.runId(),
                task.epoch(),
                task.groupId(),
                task.cursor(),
                task.round(),
                task.attempt(),
                task.instanceId(),
                reason,
                tokens);
    }
}
