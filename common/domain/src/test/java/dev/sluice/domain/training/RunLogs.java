package dev.sluice.domain.training;

import dev.sluice.events.Event;
import dev.sluice.events.GroupEvent.GroupAbandoned;
import dev.sluice.events.GroupEvent.GroupSampled;
import dev.sluice.events.TrainingEvent.BatchFormed;
import dev.sluice.events.TrainingEvent.CheckpointRetired;
import dev.sluice.events.TrainingEvent.CheckpointSaved;
import dev.sluice.events.TrainingEvent.GroupUse;
import dev.sluice.events.TrainingEvent.RolledBack;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/** The logs of a {@link TrainingWorld}, which only grow, and what they say without the help of any rule that is tested. */
final class RunLogs {
    private final List<LogEntry<Event>> results = new ArrayList<>();
    private final List<LogEntry<Event>> training = new ArrayList<>();
    private final List<LogEntry<Event>> weights = new ArrayList<>();

    List<LogEntry<Event>> results() {
        return results;
    }

    List<LogEntry<Event>> trainingAndWeights() {
        return Stream.concat(training.stream(), weights.stream()).toList();
    }

    /** Where the training log ends: the place of its next record. */
    long trainingEnd() {
        return training.size();
    }

    void addResult(Event event) {
        results.add(new LogEntry<>(event, "r" + results.size(), 0, results.size()));
    }

    LogEntry<Event> addTraining(Event event) {
        LogEntry<Event> entry = new LogEntry<>(event, "t" + training.size(), 0, training.size());
        training.add(entry);
        return entry;
    }

    LogEntry<Event> addWeights(Event event) {
        LogEntry<Event> entry = new LogEntry<>(event, "w" + weights.size(), 0, weights.size());
        weights.add(entry);
        return entry;
    }

    /** The newest weight version; they are counted from 0. */
    int version() {
        return weights.size() - 1;
    }

    List<Event> training() {
        return training.stream().<Event>map(LogEntry::event).toList();
    }

    /** Everything that used or dropped groups, also of steps that were taken back. */
    List<BatchFormed> batches() {
        return training().stream()
                .filter(BatchFormed.class::isInstance)
                .map(BatchFormed.class::cast)
                .toList();
    }

    /** Batches of the steps that stand, in order. */
    List<BatchFormed> steps() {
        List<BatchFormed> steps = new ArrayList<>();
        for (Event event : training()) {
            if (event instanceof BatchFormed formed && !formed.groups().isEmpty()) {
                steps.add(formed);
            } else if (event instanceof RolledBack taken) {
                steps.subList(taken.toStep(), steps.size()).clear();
            }
        }
        return steps;
    }

    int rollbacks() {
        return (int) training().stream().filter(RolledBack.class::isInstance).count();
    }

    /** Oldest first. */
    List<CheckpointSaved> keptCuts() {
        List<CheckpointSaved> cuts = new ArrayList<>();
        for (Event event : training()) {
            if (event instanceof CheckpointSaved saved) {
                cuts.add(saved);
            } else if (event instanceof CheckpointRetired retired) {
                cuts.removeIf(cut -> cut.directory().equals(retired.directory()));
            }
        }
        return cuts;
    }

    boolean isUsedUp(long cursor) {
        return batches().stream()
                .anyMatch(formed -> formed.groups().stream().anyMatch(use -> use.cursor() == cursor)
                        || formed.dropped().stream().anyMatch(drop -> drop.cursor() == cursor && !drop.again()));
    }

    boolean isDropped(GroupAsk ask) {
        return batches().stream()
                .flatMap(formed -> formed.dropped().stream())
                .anyMatch(drop -> drop.cursor() == ask.cursor() && drop.round() == ask.round());
    }

    Optional<LogEntry<Event>> firstOf(GroupAsk ask) {
        return results.stream().filter(entry -> isResultOf(entry, ask)).findFirst();
    }

    String firstResult(GroupAsk ask) {
        return firstOf(ask).map(LogEntry::id).orElse("none");
    }

    boolean isFlat(GroupAsk ask) {
        return firstOf(ask)
                .filter(entry -> entry.event() instanceof GroupSampled sampled && isFlat(sampled))
                .isPresent();
    }

    static boolean isFlat(GroupSampled group) {
        return group.samples().stream()
                        .map(sample -> sample.reward())
                        .distinct()
                        .count()
                == 1;
    }

    int oldestVersion(String resultId) {
        GroupSampled result = (GroupSampled)
                results.get(Integer.parseInt(resultId.substring(1))).event();
        return result.samples().stream()
                .mapToInt(sample -> sample.oldestVersion())
                .min()
                .orElseThrow();
    }

    static boolean isResultOf(LogEntry<Event> entry, GroupAsk ask) {
        return switch (entry.event()) {
            case GroupSampled sampled -> sampled.cursor() == ask.cursor() && sampled.round() == ask.round();
            case GroupAbandoned abandoned -> abandoned.cursor() == ask.cursor() && abandoned.round() == ask.round();
            case Event other -> false;
        };
    }

    /** What a worker that trains a batch becomes, in words. */
    static String contentOf(BatchFormed formed) {
        return formed.groups().stream().map(RunLogs::content).toList().toString();
    }

    private static String content(GroupUse use) {
        return use.groupId() + ":" + use.round();
    }
}
