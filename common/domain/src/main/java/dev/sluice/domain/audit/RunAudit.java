package dev.sluice.domain.audit;

import dev.sluice.domain.training.Rollbacks;
import dev.sluice.events.EngineEvent.EngineReady;
import dev.sluice.events.EngineEvent.WeightsLoaded;
import dev.sluice.events.Event;
import dev.sluice.events.GroupEvent;
import dev.sluice.events.GroupEvent.GroupAbandoned;
import dev.sluice.events.GroupEvent.GroupSampled;
import dev.sluice.events.GroupEvent.Sample;
import dev.sluice.events.GroupEvent.VersionSpan;
import dev.sluice.events.Rollout.StaleSamples;
import dev.sluice.events.RunEvent.RunPlanned;
import dev.sluice.events.RunKind;
import dev.sluice.events.TrainingEvent.BatchFormed;
import dev.sluice.events.TrainingEvent.CheckpointAdopted;
import dev.sluice.events.TrainingEvent.GroupUse;
import dev.sluice.events.TrainingEvent.RolledBack;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * Reads a finished run's topics, each in its order and the topics in any, and says where they break the protocols' invariants:
 * (a) a group is used up at most once, (c) every prompt below the cursor ends used or dropped, (e) the first result in the log
 * is the one that counts, (f) no token is sampled by a version that its engine never held or that the policy lag forbids; every
 * token has a version, and none an older one than a token before it. A run that goes on from an earlier one's cut begins with the
 * prompts that are used up there; groups of given answers, which stand in no log, are taken as they are named.
 */
public final class RunAudit {
    private final String runId;
    private final Map<Round, Result> firstResults = new HashMap<>();
    private final Map<String, Set<Integer>> versionsHeld = new HashMap<>();
    private final Map<Integer, BatchFormed> batches = new HashMap<>();
    private final Set<UUID> read = new HashSet<>();
    /** They use nothing and drop what was left at the end. */
    private final List<BatchFormed> closings = new ArrayList<>();

    private final List<String> findings = new ArrayList<>();
    private @Nullable CheckpointAdopted beginning;
    private boolean answersAreGiven;

    private record Round(String groupId, int round) {}

    /** @param adopted an earlier run's engine sampled it; its versions were renumbered */
    private record Result(UUID id, List<Origin> samples, boolean adopted) {}

    /** What the checks look at of a sample, whose tokens would fill the memory in a long run. */
    private record Origin(int index, String engineId, int tokens, List<VersionSpan> versions) {
        static Origin of(Sample sample) {
            return new Origin(
                    sample.index(), sample.engineId().intern(), sample.tokens().length(), sample.versions());
        }
    }

    public RunAudit(String runId) {
        this.runId = runId;
    }

    /**
     * Takes a record; those of other runs, and one that was read before, change nothing. The log of results is trimmed while a
     * run goes on: to see all of it, begin to read before the run does.
     *
     * @param id of the record
     */
    public void apply(Event event, UUID id) {
        if (!event.runId().equals(runId) || !read.add(id)) {
            return;
        }
        switch (event) {
            case GroupSampled sampled ->
                first(
                        sampled,
                        new Result(
                                id,
                                sampled.samples().stream().map(Origin::of).toList(),
                                sampled.adoptedFrom() != null));
            case GroupAbandoned abandoned -> first(abandoned, new Result(id, List.of(), false));
            case RunPlanned planned -> answersAreGiven = RunKind.of(planned.request()) == RunKind.SUPERVISED;
            case CheckpointAdopted adopted -> beginning = adopted;
            case EngineReady ready -> holds(ready.engineId(), ready.weightVersion());
            case WeightsLoaded loaded -> holds(loaded.engineId(), loaded.version());
            case BatchFormed batch when batch.groups().isEmpty() -> closings.add(batch);
            case BatchFormed batch -> {
                BatchFormed known = batches.putIfAbsent(batch.step(), batch);
                if (known != null && known.epoch() >= batch.epoch()) {
                    findings.add("step %d was formed twice by epoch %d".formatted(batch.step(), batch.epoch()));
                } else if (known != null) {
                    batches.put(batch.step(), batch);
                }
            }
            case RolledBack taken -> takeBack(taken);
            default -> {}
        }
    }

    /** How old a sample may be that is trained on. */
    private record Age(int maxPolicyLag, StaleSamples staleSamples) {
        boolean allows(int lag, GroupUse use, BatchFormed batch) {
            return lag <= maxPolicyLag
                    || switch (staleSamples) {
                        case DROP -> false;
                        case MASK -> batch.weightVersion() - use.trainedFrom() <= maxPolicyLag;
                        case CORRECT -> true;
                    };
        }
    }

    private void takeBack(RolledBack taken) {
        batches.values().removeIf(batch -> {
            boolean gone = batch.step() > taken.toStep();
            if (gone) {
                closings.add(Rollbacks.dropped(batch, taken));
            }
            return gone;
        });
    }

    private void first(GroupEvent event, Result result) {
        firstResults.putIfAbsent(new Round(event.groupId(), event.round()), result);
    }

    private void holds(String engineId, int version) {
        versionsHeld.computeIfAbsent(engineId, absent -> new HashSet<>()).add(version);
    }

    /**
     * Everything that is wrong; empty where the log keeps its promises.
     *
     * @param maxPolicyLag publications between a sample's oldest token and its use, at most
     */
    public List<String> findings(int maxPolicyLag) {
        return findings(maxPolicyLag, StaleSamples.DROP);
    }

    /**
     * The same where samples beyond the lag may be used.
     *
     * @param staleSamples what the run does with them
     */
    public List<String> findings(int maxPolicyLag, StaleSamples staleSamples) {
        Age age = new Age(maxPolicyLag, staleSamples);
        List<String> all = new ArrayList<>(findings);
        Map<Long, Integer> usedUpBy = usedUpBefore();
        long cursorNext = beginning == null ? 0 : beginning.cursorNext();
        for (int step : new TreeSet<>(batches.keySet())) {
            BatchFormed batch = batches.get(step);
            cursorNext = Math.max(cursorNext, batch.cursorNext());
            for (GroupUse use : batch.groups()) {
                usedUp(use.groupId(), use.cursor(), step, usedUpBy, all);
                checkUse(use, batch, age, all);
            }
            dropped(batch, usedUpBy, all);
        }
        for (BatchFormed closing : closings) {
            cursorNext = Math.max(cursorNext, closing.cursorNext());
            dropped(closing, usedUpBy, all);
        }
        for (long cursor = 0; cursor < cursorNext; cursor++) {
            if (!usedUpBy.containsKey(cursor)) {
                all.add("group %s/%d was asked for and neither used nor dropped".formatted(runId, cursor));
            }
        }
        return all;
    }

    /** What the cut that the run began with has used up, by its last step. */
    private Map<Long, Integer> usedUpBefore() {
        Map<Long, Integer> usedUpBy = new HashMap<>();
        if (beginning != null) {
            for (long cursor = 0; cursor < beginning.closedBelow(); cursor++) {
                usedUpBy.put(cursor, beginning.step());
            }
            for (long cursor : beginning.closedAbove()) {
                usedUpBy.put(cursor, beginning.step());
            }
        }
        return usedUpBy;
    }

    private static void dropped(BatchFormed batch, Map<Long, Integer> usedUpBy, List<String> findings) {
        batch.dropped().stream()
                .filter(drop -> !drop.again())
                .forEach(drop -> usedUp(drop.groupId(), drop.cursor(), batch.step(), usedUpBy, findings));
    }

    private static void usedUp(
            String groupId, long cursor, int step, Map<Long, Integer> usedUpBy, List<String> findings) {
        Integer before = usedUpBy.put(cursor, step);
        if (before != null) {
            findings.add("group %s was used up by step %d and by step %d".formatted(groupId, before, step));
        }
    }

    private void checkUse(GroupUse use, BatchFormed batch, Age age, List<String> findings) {
        Result result = firstResults.get(new Round(use.groupId(), use.round()));
        if (result == null) {
            if (answersAreGiven) {
                return;
            }
            findings.add("step %d uses group %s, of which there is no result".formatted(batch.step(), use.groupId()));
            return;
        }
        if (!result.id().toString().equals(use.resultId())) {
            findings.add("step %d uses result %s of group %s; the first in the log is %s"
                    .formatted(batch.step(), use.resultId(), use.groupId(), result.id()));
        }
        for (Origin sample : result.samples()) {
            checkVersions(sample, use, batch, age, findings);
            checkEngine(sample, use, result.adopted(), findings);
        }
    }

    private void checkEngine(Origin sample, GroupUse use, boolean adopted, List<String> findings) {
        if (adopted || sample.versions().isEmpty()) {
            return; // what its engine held stands in the earlier run's log
        }
        int newest = sample.versions().getLast().version();
        if (!versionsHeld.getOrDefault(sample.engineId(), Set.of()).contains(newest)) {
            findings.add("sample %d of group %s is by version %d of engine %s, which never said that it held it"
                    .formatted(sample.index(), use.groupId(), newest, sample.engineId()));
        }
    }

    private static void checkVersions(Origin sample, GroupUse use, BatchFormed batch, Age age, List<String> findings) {
        if (sample.versions().isEmpty()) {
            return;
        }
        List<Integer> versions =
                sample.versions().stream().map(VersionSpan::version).toList();
        int spanned = sample.versions().stream().mapToInt(VersionSpan::tokens).sum();
        if (spanned != sample.tokens()
                || !versions.equals(versions.stream().sorted().distinct().toList())) {
            findings.add("sample %d of group %s has %d tokens; its spans are %s"
                    .formatted(sample.index(), use.groupId(), sample.tokens(), sample.versions()));
        }
        int lag = batch.weightVersion() - Collections.min(versions);
        if (!age.allows(lag, use, batch)) {
            findings.add("step %d uses sample %d of group %s, %d publications old; the run allows %d"
                    .formatted(batch.step(), sample.index(), use.groupId(), lag, age.maxPolicyLag()));
        }
    }
}
