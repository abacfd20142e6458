package dev.sluice.rollout.task;

import dev.sluice.events.GroupEvent.FinishReason;
import dev.sluice.events.GroupEvent.GroupAbandoned;
import dev.sluice.events.GroupEvent.GroupSampled;
import dev.sluice.events.GroupEvent.GroupStarted;
import dev.sluice.events.GroupEvent.Sample;
import dev.sluice.events.GroupEvent.SamplesParked;
import dev.sluice.events.GroupEvent.Verdict;
import dev.sluice.events.GroupTask.GroupRequested;
import dev.sluice.events.Int32Array;
import dev.sluice.events.Rollout.PartialRollout;
import dev.sluice.rollout.sampling.GroupSampler;
import dev.sluice.rollout.sampling.PartialSample;
import dev.sluice.rollout.sampling.RouterSession;
import dev.sluice.rollout.sampling.SampleOutcome;
import dev.sluice.rollout.sampling.TurnAsk;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/** One group from its task to its result. Used on the core's thread. */
final class GroupWork {
    /** How often one sample may fail before its failure is its result. */
    static final int SAMPLE_ATTEMPTS = 2;

    private final Instant accepted;
    private final TreeMap<Integer, Sample> done = new TreeMap<>();
    /** Beginnings of samples that a pause interrupted, here or elsewhere, or that the model goes on with after an environment. */
    private final TreeMap<Integer, PartialSample> begun = new TreeMap<>();

    /** Samples whose environment is being asked; until it answers, they have begun only what came before the turn it is asked about. */
    private final TreeMap<Integer, TurnAsk> asking = new TreeMap<>();

    /** Samples that a function of one's own generates, with what it asks engines by. */
    private final Map<Integer, RouterSession> generating = new HashMap<>();

    /** Which engine generated the newest turn, and so may have the response in its cache. */
    private final Map<Integer, Home> homes = new HashMap<>();

    private final int[] refusals;
    private final Set<GroupBatch> running = new HashSet<>();
    private GroupRequested task;
    private TaskArrival arrival;
    private Int32Array promptTokens = Int32Array.EMPTY;
    private int tokensAborted;
    private int dispatches;
    private @Nullable Ending ending;
    private boolean scoring;
    private @Nullable Verdict verdict;
    private boolean answered;

    /**
     * Why no more samples are wanted.
     *
     * @param parks whether what there is goes back for others to go on with
     */
    record Ending(String reason, boolean parks) {}

    GroupWork(GroupRequested task, TaskArrival arrival, Instant accepted) {
        this.task = task;
        this.arrival = arrival;
        this.accepted = accepted;
        this.refusals = new int[task.samples()];
        new ParkedSamples(task).usable().forEach(this::adopt);
    }

    private void adopt(Sample sample) {
        if (sample.finishReason() == FinishReason.PARKED) {
            begun.put(sample.index(), PartialSample.of(sample));
        } else {
            done.put(sample.index(), sample);
        }
    }

    GroupRequested task() {
        return task;
    }

    TaskArrival arrival() {
        return arrival;
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
    boolean renew(GroupRequested newer, TaskArrival newerArrival) {
        boolean older =
                newer.epoch() < task.epoch() || newer.epoch() == task.epoch() && newer.attempt() <= task.attempt();
        if (older || newer.samples() != task.samples()) {
            return false;
        }
        task = newer;
        arrival = newerArrival;
        List<Sample> unfit = done.values().stream()
                .filter(sample -> !bound().acceptsAll(sample.versions()))
                .toList();
        unfit.forEach(sample -> {
            done.remove(sample.index());
            tokensAborted += sample.tokens().length();
        });
        return true;
    }

    /** Places in the group that neither are done nor run nor wait for their environment. */
    private List<Integer> pending() {
        Set<Integer> taken = new HashSet<>(done.keySet());
        taken.addAll(asking.keySet());
        taken.addAll(generating.keySet());
        running.forEach(batch -> taken.addAll(batch.indexes));
        return IntStream.range(0, task.samples())
                .filter(index -> !taken.contains(index))
                .boxed()
                .toList();
    }

    /** What is to run, by call: together what shares its prefill, one by one what follows a turn of an environment. */
    List<List<Integer>> calls() {
        List<Integer> together = new ArrayList<>(pending());
        List<List<Integer>> calls =
                together.stream().filter(homes::containsKey).map(List::of).collect(Collectors.toList());
        together.removeIf(homes::containsKey);
        if (!together.isEmpty()) {
            calls.add(together);
        }
        return calls;
    }

    /** Where these samples would rather go, if anywhere. */
    @Nullable
    Home home(List<Integer> indexes) {
        return homes.get(indexes.getFirst());
    }

    /** Nothing of it happens anywhere. */
    boolean idle() {
        return running.isEmpty() && asking.isEmpty() && generating.isEmpty() && !scoring;
    }

    /** Whether a function of one's own generates its samples. */
    boolean hasFunction() {
        return task.hooks() != null && task.hooks().generate() != null;
    }

    /** A function is asked for a sample. */
    void generating(int index, RouterSession session) {
        generating.put(index, session);
    }

    Collection<RouterSession> sessions() {
        return List.copyOf(generating.values());
    }

    /** A function has answered. */
    void generated(int index, SampleOutcome outcome) {
        generating.remove(index);
        take(outcome, new Home(GenerateAsks.FUNCTION, null));
    }

    /** Samples whose environment is being asked. */
    int asked() {
        return asking.size();
    }

    /** What to ask a sample's environment. */
    TurnAsk turnAsk(int index) {
        return Objects.requireNonNull(asking.get(index), "sample " + index + " has no turn to be answered");
    }

    /** The environment has been asked. */
    void turned(TurnAsk ask, SampleOutcome outcome) {
        asking.remove(ask.index());
        take(outcome, Objects.requireNonNullElseGet(homes.get(ask.index()), () -> new Home(ask.engineId(), null)));
    }

    /**
     * What these samples begin with on an engine that holds a version. A beginning that may not be gone on with there is
     * thrown away.
     */
    SortedMap<Integer, PartialSample> beginnings(List<Integer> indexes, int version) {
        SortedMap<Integer, PartialSample> beginnings = new TreeMap<>();
        for (int index : indexes) {
            PartialSample known = begun.getOrDefault(index, PartialSample.NOTHING);
            boolean mixes = known.versions().stream().anyMatch(span -> span.version() != version);
            boolean goesOn =
                    bound().acceptsAll(known.versions()) && !(mixes && task.partialRollout() == PartialRollout.RESTART);
            if (!goesOn) {
                tokensAborted += known.tokens().length;
                begun.remove(index);
            }
            beginnings.put(index, goesOn ? known : PartialSample.NOTHING);
        }
        return beginnings;
    }

    /** Whether no engine was asked for samples of it here. */
    boolean untouched() {
        return dispatches == 0;
    }

    /** An id prefix that no other call to an engine has. */
    String nextRidPrefix() {
        dispatches++;
        return "%s#%d.%d.%d/".formatted(task.groupId(), task.round(), task.attempt(), dispatches);
    }

    boolean hasPromptTokens() {
        return promptTokens.length() > 0;
    }

    void promptTokens(int[] tokens) {
        promptTokens = Int32Array.of(tokens);
    }

    void take(SampleOutcome outcome, Home home) {
        switch (outcome) {
            case SampleOutcome.Accepted accepted -> {
                begun.remove(accepted.index());
                // A renewed task may forbid the version that was right when the call went out.
                if (bound().acceptsAll(accepted.sample().versions())) {
                    done.put(accepted.index(), accepted.sample());
                } else {
                    tokensAborted += accepted.sample().tokens().length();
                }
            }
            case SampleOutcome.Aborted aborted -> {
                tokensAborted += aborted.lost();
                if (aborted.begun().tokens().length > 0) {
                    begun.put(aborted.index(), aborted.begun());
                }
            }
            case SampleOutcome.TurnEnded ended -> {
                asking.put(ended.index(), new TurnAsk(task, ended.index(), ended.whole(), home.engineId()));
                homes.put(ended.index(), home);
            }
            case SampleOutcome.TurnAnswered answered -> begun.put(answered.index(), answered.begun());
            case SampleOutcome.Unanswered unanswered -> {
                tokensAborted += unanswered.tokens();
                begun.remove(unanswered.index());
                done.put(
                        unanswered.index(),
                        GroupSampler.failed(unanswered.index(), home.engineId(), unanswered.reason()));
            }
            case SampleOutcome.Refused refused -> {
                tokensAborted += refused.tokens();
                refuse(refused.index(), home.engineId(), refused.reason());
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
    void scored(List<Sample> scored, @Nullable Verdict filter) {
        scoring = false;
        verdict = filter;
        scored.forEach(sample -> done.computeIfPresent(sample.index(), (index, known) -> sample));
    }

    /** Rewards could not be asked for. */
    void unscored(String reason) {
        scoring = false;
        done.replaceAll((index, sample) -> GroupSampler.unscored(sample, reason));
    }

    /** How far it is, for people. */
    String progress() {
        int samples = running.stream().mapToInt(batch -> batch.indexes.size()).sum();
        return "%d of %d samples done and %d running".formatted(finished(), task.samples(), samples)
                + (asked() > 0 ? ", %d at their environment".formatted(asked()) : "")
                + (generating.isEmpty() ? "" : ", %d at their function".formatted(generating.size()))
                + (scoring ? ", their rewards asked for" : "");
    }

    /** Why every sample failed, if every one did. */
    @Nullable
    String failure() {
        boolean failed = done.values().stream().allMatch(sample -> sample.finishReason() == FinishReason.FAILED);
        return failed ? "all samples failed: " + done.firstEntry().getValue().unscored() : null;
    }

    /** No more samples are wanted. */
    void end(Ending why) {
        ending = why;
    }

    @Nullable
    Ending ending() {
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
                Duration.between(accepted, now).toMillis() / 1000.0,
                verdict);
    }

    GroupAbandoned abandoned(String reason) {
        return TaskEvents.abandoned(task, reason, tokensAborted + tokensKept() + tokensAsked());
    }

    private int tokensKept() {
        int whole = done.values().stream()
                .mapToInt(sample -> sample.tokens().length())
                .sum();
        return whole
                + begun.values().stream()
                        .mapToInt(sample -> sample.tokens().length)
                        .sum();
    }

    /** What there is of it, for somebody else to go on with. */
    SamplesParked parked(String reason) {
        List<Sample> samples = new ArrayList<>(done.values());
        begun.forEach((index, sample) -> samples.add(sample.parked(index, task.instanceId())));
        return TaskEvents.parked(task, reason, samples, tokensAborted + tokensAsked());
    }

    /** Turns that no environment has answered yet; whoever goes on generates them anew. */
    private int tokensAsked() {
        return asking.values().stream()
                .mapToInt(ask -> ask.whole().tokens().length
                        - begun.getOrDefault(ask.index(), PartialSample.NOTHING).tokens().length)
                .sum();
    }

    /** Given back with nothing: what there is does not fit a record. */
    SamplesParked parkedEmpty(String reason) {
        return TaskEvents.parked(task, reason, List.of(), tokensAborted + tokensKept() + tokensAsked());
    }
}
