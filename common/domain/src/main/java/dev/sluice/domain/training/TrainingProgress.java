package dev.sluice.domain.training;

import dev.sluice.events.TrainingEvent.BatchFormed;
import dev.sluice.events.TrainingEvent.CheckpointRetired;
import dev.sluice.events.TrainingEvent.CheckpointSaved;
import dev.sluice.events.TrainingEvent.EvalCompleted;
import dev.sluice.events.TrainingEvent.StepCompleted;
import dev.sluice.events.WeightEvent;
import dev.sluice.events.WeightEvent.PhaseChanged;
import dev.sluice.events.WeightEvent.WeightsPublished;
import dev.sluice.events.WeightEvent.WeightsRetired;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** How far the training log is: steps formed and completed, versions published, cuts kept, evaluations done. */
final class TrainingProgress {
    private final int baseStep;
    private final TreeMap<Integer, LogEntry<BatchFormed>> formed = new TreeMap<>();
    private final TreeMap<Integer, WeightsPublished> weights = new TreeMap<>();
    private final List<CheckpointSaved> cuts = new ArrayList<>();
    private final Set<String> evaluated = new HashSet<>();
    private final Map<Integer, List<Double>> rewards = new TreeMap<>();
    private int completedStep;
    private int version;
    private boolean published;
    private int replacements;
    private long optimizerSteps;
    private long readTo;
    private @Nullable PhaseChanged phase;

    TrainingProgress(Cut cut) {
        this.baseStep = cut.step();
        this.completedStep = cut.step();
        this.version = cut.weightVersion();
        this.readTo = cut.trainingOffset();
    }

    void readTo(long offset) {
        readTo = Math.max(readTo, offset);
    }

    /**
     * Notes a formed step.
     *
     * @return whether it is news: neither part of the cut nor known, nor forgotten
     * @throws IllegalStateException if it is not the step after the last one
     */
    boolean apply(LogEntry<BatchFormed> entry) {
        BatchFormed batch = entry.event();
        boolean old = batch.step() <= baseStep || !formed.isEmpty() && batch.step() < formed.firstKey();
        if (batch.groups().isEmpty() || old) {
            return false;
        }
        LogEntry<BatchFormed> known = formed.get(batch.step());
        if (known != null && known.offset() == entry.offset()) {
            return false;
        }
        if (batch.step() != formedStep() + 1) {
            throw new IllegalStateException(
                    "step %d is formed after step %d (cut at %d); the training log of %s contradicts itself"
                            .formatted(batch.step(), formedStep(), baseStep, batch.runId()));
        }
        formed.put(batch.step(), entry);
        return true;
    }

    /** Forgets the groups of steps before this one; the last step that has a batch stays. */
    void forgetBefore(int step) {
        formed.headMap(Math.min(step, formedStep()), false).clear();
    }

    void apply(StepCompleted completed) {
        completedStep = Math.max(completedStep, completed.step());
        version = Math.max(version, completed.weightVersion());
        optimizerSteps = Math.max(optimizerSteps, completed.optimizerSteps());
    }

    void apply(CheckpointSaved saved) {
        cuts.removeIf(cut -> cut.directory().equals(saved.directory()));
        cuts.add(saved);
        optimizerSteps = Math.max(optimizerSteps, saved.optimizerSteps());
    }

    void apply(CheckpointRetired retired) {
        cuts.removeIf(cut -> cut.directory().equals(retired.directory()));
    }

    void apply(EvalCompleted completed) {
        if (evaluated.add(evaluation(completed.set(), completed.step()))) {
            rewards.computeIfAbsent(completed.step(), step -> new ArrayList<>()).add(completed.meanReward());
        }
    }

    void apply(WeightEvent event) {
        switch (event) {
            case WeightsPublished publication -> apply(publication);
            case WeightsRetired retired -> apply(retired);
            case PhaseChanged changed -> apply(changed);
        }
    }

    private void apply(WeightsPublished publication) {
        published = true;
        version = Math.max(version, publication.version());
        if (weights.put(publication.version(), publication) == null && publication.supersedes() != null) {
            replacements++;
        }
    }

    private void apply(WeightsRetired retired) {
        // The entry stays counted as a publication, only its files are gone.
        weights.computeIfPresent(
                retired.version(),
                (number, known) -> known.manifestSha256() == null
                        ? known
                        : new WeightsPublished(
                                known.runId(),
                                known.epoch(),
                                number,
                                known.step(),
                                known.transport(),
                                "",
                                known.manifestSha256(),
                                known.supersedes()));
    }

    private void apply(PhaseChanged changed) {
        if (phase == null || changed.number() > phase.number()) {
            phase = changed;
        }
    }

    /** The last step that has a batch. */
    int formedStep() {
        return formed.isEmpty() ? baseStep : formed.lastKey();
    }

    int completedStep() {
        return completedStep;
    }

    int version() {
        return version;
    }

    /** Whether version 0 was published. */
    boolean anythingPublished() {
        return published;
    }

    /** Publications since version 0 that followed training; those that only replace one let nobody train on more groups. */
    int regularPublications() {
        return version - replacements;
    }

    int replacements() {
        return replacements;
    }

    void goOnAfter(long steps) {
        optimizerSteps = Math.max(optimizerSteps, steps);
    }

    long optimizerSteps() {
        return optimizerSteps;
    }

    Collection<LogEntry<BatchFormed>> formedAfter(int step) {
        return formed.tailMap(step, false).values();
    }

    Optional<LogEntry<BatchFormed>> formedAt(int step) {
        return Optional.ofNullable(formed.get(step));
    }

    List<CheckpointSaved> cuts() {
        return List.copyOf(cuts);
    }

    /** Publications whose files are still there, oldest first; version 0 is the source and not among them. */
    List<WeightsPublished> kept() {
        return weights.values().stream()
                .filter(publication -> publication.manifestSha256() != null
                        && publication.directory() != null
                        && !publication.directory().isEmpty())
                .toList();
    }

    /** The newest publication, with files or without. */
    Optional<WeightsPublished> newest() {
        return Optional.ofNullable(weights.lastEntry()).map(Map.Entry::getValue);
    }

    Optional<PhaseChanged> phase() {
        return Optional.ofNullable(phase);
    }

    int versionAfter(int step) {
        return weights.values().stream()
                .filter(publication -> publication.step() <= step)
                .mapToInt(WeightsPublished::version)
                .max()
                .orElse(0);
    }

    /** Mean reward of the sets that were measured after a step. */
    Map<Integer, Double> evaluationScores() {
        Map<Integer, Double> scores = new TreeMap<>();
        rewards.forEach((step, means) -> scores.put(
                step, means.stream().mapToDouble(mean -> mean).average().orElseThrow()));
        return scores;
    }

    boolean isEvaluated(String set, int step) {
        return evaluated.contains(evaluation(set, step));
    }

    private static String evaluation(String set, int step) {
        return set + "/" + step;
    }

    long readTo() {
        return readTo;
    }
}
