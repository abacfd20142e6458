package dev.sluice.domain.ledger;

import dev.sluice.events.CheckpointEvent;
import dev.sluice.events.EngineEvent;
import dev.sluice.events.Event;
import dev.sluice.events.GroupEvent;
import dev.sluice.events.GroupEvent.GroupAbandoned;
import dev.sluice.events.GroupEvent.GroupSampled;
import dev.sluice.events.GroupEvent.Sample;
import dev.sluice.events.GroupEvent.VersionSpan;
import dev.sluice.events.GroupTask;
import dev.sluice.events.InstanceSnapshot;
import dev.sluice.events.MetricPoint;
import dev.sluice.events.RunEvent;
import dev.sluice.events.RunMetric;
import dev.sluice.events.RunRequest;
import dev.sluice.events.TrainingEvent;
import dev.sluice.events.TrainingEvent.BatchFormed;
import dev.sluice.events.TrainingEvent.GroupDrop;
import dev.sluice.events.TrainingEvent.GroupUse;
import dev.sluice.events.TrainingEvent.StepCompleted;
import dev.sluice.events.WeightEvent;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.Set;
import java.util.TreeMap;
import java.util.UUID;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * The goodput ledger of one run: every token that an engine is known to have generated, by what became of it.
 *
 * <p>A projection: feed it the events of the run's topics, each topic in its order, the topics in any order. The buckets
 * always add up to {@link #tokensReported()}. Not for several threads.
 */
public final class Ledger {
    private static final String REWARD_METRIC = RunMetric.RAW_REWARD.wireName();

    private final String runId;
    private final Map<GroupRound, GroupAccount> accounts = new HashMap<>();
    private final Map<Bucket, Long> buckets = new EnumMap<>(Bucket.class);
    private final Map<Integer, Set<GroupRound>> batches = new HashMap<>();
    private final Set<GroupRound> adopted = new HashSet<>();
    private final TreeMap<Integer, StepCompleted> steps = new TreeMap<>();
    private boolean failed;
    private int trainerEpoch;
    private long tokensReported;
    private long tokensAdopted;
    private long speculatedTokens;
    private long verifies;

    public Ledger(String runId) {
        this.runId = runId;
    }

    /**
     * Takes an event; events of other runs and those without tokens change nothing.
     *
     * @param id the CloudEvents id, which a batch names its results by; the same event twice counts once
     */
    public void apply(Event event, UUID id) {
        if (!event.runId().equals(runId)) {
            return;
        }
        switch (event) {
            case GroupEvent group -> applyGroup(group, id);
            case TrainingEvent training -> applyTraining(training);
            case RunRequest request -> {}
            case RunEvent run -> failed |= run instanceof RunEvent.RunFailed;
            case InstanceSnapshot instance -> {}
            case CheckpointEvent checkpoint -> {}
            case GroupTask task -> {}
            case WeightEvent weights -> {}
            case EngineEvent engine -> {}
            case MetricPoint point -> {}
        }
    }

    /** Tokens by what became of them. A run that failed has no trainer left to close groups: what nothing used is abandoned. */
    public TokenBuckets tokens() {
        if (!failed) {
            return TokenBuckets.of(buckets);
        }
        Map<Bucket, Long> closed = new EnumMap<>(buckets);
        closed.merge(Bucket.ABANDONED, closed.getOrDefault(Bucket.OPEN, 0L), Long::sum);
        closed.put(Bucket.OPEN, 0L);
        return TokenBuckets.of(closed);
    }

    /** Tokens that results and abandoned groups have reported, the sum of all buckets. */
    public long tokensReported() {
        return tokensReported;
    }

    /** Tokens of results that were taken over from an earlier run, in whose buckets they are and not in these. */
    public long tokensAdopted() {
        return tokensAdopted;
    }

    /** Steps trained, each once however often a crash had it repeated. */
    public int stepsTrained() {
        return steps.size();
    }

    /** The newest step that stands, 0 before; a run that went on from another counts that one's steps too. */
    public int lastStep() {
        return steps.isEmpty() ? 0 : steps.lastKey();
    }

    /** Groups trained on by policy lag, from 0, over all steps. */
    public List<Integer> policyLags() {
        List<Integer> sums = new ArrayList<>();
        for (StepCompleted step : steps.values()) {
            for (int lag = 0; lag < step.policyLags().size(); lag++) {
                if (lag == sums.size()) {
                    sums.add(0);
                }
                sums.set(lag, sums.get(lag) + step.policyLags().get(lag));
            }
        }
        return List.copyOf(sums);
    }

    /** Mean reward by step, oldest first. */
    public List<StepReward> rewards() {
        return steps.values().stream()
                .filter(step -> step.metrics().containsKey(REWARD_METRIC))
                .map(step -> new StepReward(step.step(), step.metrics().get(REWARD_METRIC)))
                .toList();
    }

    /**
     * Tokens per verification of speculative decoding, over all responses sampled with it; SGLang's {@code
     * spec_accept_length}. Empty where nothing was speculated.
     */
    public OptionalDouble acceptLength() {
        return verifies == 0 ? OptionalDouble.empty() : OptionalDouble.of((double) speculatedTokens / verifies);
    }

    private void applyGroup(GroupEvent event, UUID id) {
        switch (event) {
            case GroupSampled sampled -> applySampled(sampled, id);
            case GroupAbandoned abandoned ->
                report(key(abandoned), new GroupAccount.Attempt.Abandoned(id, abandoned.tokensAborted()));
            case GroupEvent.SamplesParked parked ->
                report(key(parked), new GroupAccount.Attempt.Parked(id, parked.tokensAborted()));
            case GroupEvent.GroupStarted started -> {}
            case GroupEvent.GroupScored scored -> {}
        }
    }

    private void applySampled(GroupSampled sampled, UUID id) {
        if (sampled.adoptedFrom() != null) {
            adopt(sampled, id);
            return;
        }
        long masked = 0;
        Map<Integer, Long> trainable = new HashMap<>();
        for (Sample sample : sampled.samples()) {
            masked += sample.tokens().length() - trainable(sample, trainable);
        }
        boolean added = report(
                key(sampled),
                new GroupAccount.Attempt.Sampled(id, sampled.evaluation(), trainable, masked, sampled.tokensAborted()));
        if (added) {
            sampled.samples().stream().filter(sample -> sample.verifies() > 0).forEach(sample -> {
                speculatedTokens += sample.tokens().length();
                verifies += sample.verifies();
            });
        }
    }

    /** A result of an earlier run: no engine of this one generated it, and the earlier run's ledger has its tokens. */
    private void adopt(GroupSampled sampled, UUID id) {
        if (adopted.add(key(sampled))) {
            tokensAdopted += sampled.samples().stream()
                    .mapToLong(sample -> sample.tokens().length())
                    .sum();
        }
        report(key(sampled), new GroupAccount.Attempt.Sampled(id, false, Map.of(), 0, 0));
    }

    private boolean report(GroupRound key, GroupAccount.Attempt attempt) {
        GroupAccount account = accounts.computeIfAbsent(key, absent -> new GroupAccount());
        boolean[] added = new boolean[1];
        change(account, () -> added[0] = account.report(attempt));
        if (added[0]) {
            tokensReported += switch (attempt) {
                case GroupAccount.Attempt.Sampled sampled -> sampled.tokens() + sampled.aborted();
                case GroupAccount.Attempt.Abandoned abandoned -> abandoned.tokens();
                case GroupAccount.Attempt.Parked parked -> parked.aborted();
            };
        }
        return added[0];
    }

    private void applyTraining(TrainingEvent event) {
        if (event.epoch() < trainerEpoch) {
            return; // written by a trainer that has been replaced
        }
        trainerEpoch = event.epoch();
        switch (event) {
            case BatchFormed batch -> applyBatch(batch);
            case StepCompleted step -> steps.put(step.step(), step);
            case TrainingEvent.TrainerReady ready -> {}
            case TrainingEvent.EvalCompleted evaluation -> {}
            case TrainingEvent.CheckpointSaved saved -> {}
            case TrainingEvent.CheckpointRetired retired -> {}
            case TrainingEvent.WaitChanged wait -> {}
            case TrainingEvent.WorkerWorked worked -> {}
            case TrainingEvent.WorkerFellBack fellBack -> {}
            case TrainingEvent.GuardTripped tripped -> {}
            case TrainingEvent.GuardReleased released -> {}
            case TrainingEvent.RolledBack taken -> takeBack(taken.toStep());
            case TrainingEvent.TrainerLost lost -> {}
            case TrainingEvent.RolloutFinished finished -> {}
            case TrainingEvent.CheckpointAdopted adopted -> {}
        }
    }

    private void applyBatch(BatchFormed batch) {
        // A batch without groups only closes what is left over; any other replaces an earlier one of its step.
        if (!batch.groups().isEmpty()) {
            Set<GroupRound> earlier = batches.put(batch.step(), members(batch));
            if (earlier != null) {
                earlier.forEach(key -> {
                    GroupAccount account = account(key);
                    change(account, account::undecide);
                });
            }
        }
        for (GroupUse use : batch.groups()) {
            decide(
                    new GroupRound(use.groupId(), use.round()),
                    new GroupAccount.Fate(Bucket.TRAINED, use.resultId(), use.trainedFrom()));
        }
        for (GroupDrop drop : batch.dropped()) {
            decide(
                    new GroupRound(drop.groupId(), drop.round()),
                    new GroupAccount.Fate(Bucket.of(drop.reason()), drop.resultId(), 0));
        }
    }

    private void takeBack(int toStep) {
        steps.tailMap(toStep, false).clear();
        batches.entrySet().stream()
                .filter(batch -> batch.getKey() > toStep)
                .flatMap(batch -> batch.getValue().stream())
                .map(this::account)
                .forEach(account -> change(account, account::takeBack));
        batches.keySet().removeIf(step -> step > toStep);
    }

    private void decide(GroupRound key, GroupAccount.Fate fate) {
        GroupAccount account = account(key);
        change(account, () -> account.decide(fate));
    }

    private GroupAccount account(GroupRound key) {
        return accounts.computeIfAbsent(key, absent -> new GroupAccount());
    }

    private void change(GroupAccount account, Runnable change) {
        account.tokens().forEach((bucket, tokens) -> buckets.merge(bucket, -tokens, Long::sum));
        change.run();
        account.tokens().forEach((bucket, tokens) -> buckets.merge(bucket, tokens, Long::sum));
    }

    private static Set<GroupRound> members(BatchFormed batch) {
        return Stream.concat(
                        batch.groups().stream().map(use -> new GroupRound(use.groupId(), use.round())),
                        batch.dropped().stream().map(drop -> new GroupRound(drop.groupId(), drop.round())))
                .collect(Collectors.toSet());
    }

    /** Adds up the tokens with gradient by weight version; tokens that no span covers count as the oldest. */
    private static long trainable(Sample sample, Map<Integer, Long> byVersion) {
        int tokens = Math.min(sample.lossMask().length(), sample.tokens().length());
        long trainable = 0;
        int begin = 0;
        for (VersionSpan span : sample.versions()) {
            int end = Math.min(tokens, begin + span.tokens());
            trainable += trainable(sample, begin, end, span.version(), byVersion);
            begin = end;
        }
        return trainable + trainable(sample, begin, tokens, 0, byVersion);
    }

    private static long trainable(Sample sample, int begin, int end, int version, Map<Integer, Long> byVersion) {
        long trainable = 0;
        for (int token = begin; token < end; token++) {
            trainable += sample.lossMask().get(token) == 0 ? 0 : 1;
        }
        byVersion.merge(version, trainable, Long::sum);
        return trainable;
    }

    private static GroupRound key(GroupEvent event) {
        return new GroupRound(event.groupId(), event.round());
    }

    private record GroupRound(String groupId, int round) {}
}
