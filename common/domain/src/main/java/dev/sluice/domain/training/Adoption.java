package dev.sluice.domain.training;

import dev.sluice.events.Event;
import dev.sluice.events.GroupEvent.AdoptedResult;
import dev.sluice.events.GroupEvent.GroupSampled;
import dev.sluice.events.GroupEvent.Sample;
import dev.sluice.events.GroupEvent.VersionSpan;
import dev.sluice.events.TrainingEvent.BatchFormed;
import dev.sluice.events.TrainingEvent.CheckpointSaved;
import dev.sluice.events.TrainingEvent.DropReason;
import dev.sluice.events.TrainingEvent.GroupDrop;
import dev.sluice.events.TrainingEvent.GroupUse;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * A run that goes on from an earlier one's cut: where it begins, and which finished groups it takes over so that none is sampled
 * again. Those are the groups that the cut has not used: ready or in flight when it was saved, left over at the run's end, or used
 * by steps after the cut, which are lost with it. Groups of steps that were taken back stay used up. Not thread-safe.
 *
 * <p>The policy lag of a result is counted from the cut, in publications of the earlier run and in either direction: weights that
 * were trained after the cut are as far from it as older ones.
 */
public final class Adoption {
    private final CheckpointSaved saved;
    private final TrainingRules rules;
    private final ClosedCursors closed;
    private final Cut cut;
    private final Set<Long> finished;
    private final Map<Long, TreeMap<Integer, LogEntry<GroupSampled>>> results = new TreeMap<>();

    /**
     * @param saved the earlier run's cut
     * @param batches everything that the earlier run has formed, without what was taken back
     * @param rules of the run that goes on
     */
    public Adoption(CheckpointSaved saved, List<BatchFormed> batches, TrainingRules rules) {
        this.saved = saved;
        this.rules = rules;
        this.closed = new ClosedCursors(saved.closedBelow(), saved.closedAbove());
        // What was left over when no step followed is of use again.
        closed.reopen(cursors(batches, DropReason.SURPLUS));
        cursors(batches, DropReason.ROLLED_BACK).forEach(closed::close);
        this.cut = Cut.beginning(saved, rules.stepsPerVersion(), closed);
        this.finished = batches.stream()
                .flatMap(Adoption::finishedIn)
                .filter(closed::isOpen)
                .collect(Collectors.toSet());
    }

    private static List<Long> cursors(List<BatchFormed> batches, DropReason reason) {
        return batches.stream()
                .flatMap(batch -> batch.dropped().stream())
                .filter(drop -> drop.reason() == reason)
                .map(GroupDrop::cursor)
                .toList();
    }

    private static Stream<Long> finishedIn(BatchFormed batch) {
        return Stream.concat(
                batch.groups().stream().map(GroupUse::cursor),
                batch.dropped().stream()
                        .filter(drop -> drop.resultId() != null && drop.reason() != DropReason.ABANDONED)
                        .map(GroupDrop::cursor));
    }

    /** Where the run that goes on begins. */
    public Cut cut() {
        return cut;
    }

    /**
     * The offset of the earlier run's results from which on those that may be taken over lie.
     *
     * @param earlierCuts every cut that the run has saved, also those that are retired
     */
    public long resultsFrom(List<CheckpointSaved> earlierCuts) {
        if (!saved.last()) {
            return saved.groupsOffset();
        }
        // The last cut was saved when all that was left over was closed; the one before it still names the oldest of
        // that.
        return earlierCuts.stream()
                .filter(earlier -> !earlier.last() && earlier.step() <= saved.step())
                .mapToLong(CheckpointSaved::groupsOffset)
                .max()
                .orElse(0);
    }

    /** Takes a record of the earlier run's results. */
    public void accept(LogEntry<? extends Event> entry) {
        if (entry.event() instanceof GroupSampled sampled
                && sampled.runId().equals(saved.runId())
                && sampled.cursor() >= 0
                && closed.isOpen(sampled.cursor())) {
            results.computeIfAbsent(sampled.cursor(), cursor -> new TreeMap<>())
                    .putIfAbsent(
                            sampled.round(), new LogEntry<>(sampled, entry.id(), entry.partition(), entry.offset()));
        }
    }

    /**
     * The results that are taken over, by cursor, as the first round of the run that goes on.
     *
     * @param epoch of its trainer
     */
    public List<GroupSampled> groups(int epoch) {
        List<GroupSampled> groups = new ArrayList<>();
        for (TreeMap<Integer, LogEntry<GroupSampled>> rounds : results.values()) {
            rounds.descendingMap().values().stream()
                    .flatMap(entry -> adopted(entry, epoch).stream())
                    .findFirst()
                    .ifPresent(groups::add);
        }
        return groups;
    }

    /** Finished groups of the earlier run that are not among those: too old or broken, or no longer in its log. */
    public int sampledAnew(int adopted) {
        Set<Long> all = new HashSet<>(finished);
        all.addAll(results.keySet());
        return all.size() - adopted;
    }

    /** Groups that are known to have been finished and have no result in what was read of the log. */
    public int lost() {
        return (int)
                finished.stream().filter(cursor -> !results.containsKey(cursor)).count();
    }

    private Optional<GroupSampled> adopted(LogEntry<GroupSampled> entry, int epoch) {
        GroupSampled result = entry.event();
        List<Sample> samples = result.samples().stream().map(this::renumbered).toList();
        GroupSampled group = new GroupSampled(
                rules.runId(),
                epoch,
                rules.groupId(result.cursor()),
                result.cursor(),
                0,
                0,
                result.instanceId(),
                result.promptTokens(),
                samples,
                0,
                result.seconds(),
                result.verdict(),
                new AdoptedResult(saved.runId(), entry.id()));
        return ResultCheck.objection(new GroupResult.Sampled(new LogEntry<>(group, "", 0, 0)), rules, 0, firstVersion())
                        // What a filter leaves out is not worth another try either.
                        .filter(objection -> objection.reason() != DropReason.FILTERED)
                        .isEmpty()
                ? Optional.of(group)
                : Optional.empty();
    }

    /** The version that the cut's weights are published as: engines begin with the model, which is version 0. */
    private int firstVersion() {
        return cut.step() == 0 ? cut.weightVersion() : cut.weightVersion() + 1;
    }

    private Sample renumbered(Sample sample) {
        int farthest = sample.versions().stream()
                .mapToInt(span -> span.version() - saved.weightVersion())
                .max()
                .orElse(0);
        // Weights after the cut are none of this run's: versions of one sample only grow, so all of it is as far as its
        // last token.
        return sample.withVersions(
                farthest > 0
                        ? List.of(new VersionSpan(
                                firstVersion() - Math.max(farthest, saved.weightVersion() - sample.oldestVersion()),
                                sample.tokens().length()))
                        : sample.versions().stream()
                                .map(span -> new VersionSpan(
                                        firstVersion() - (saved.weightVersion() - span.version()), span.tokens()))
                                .toList());
    }
}
