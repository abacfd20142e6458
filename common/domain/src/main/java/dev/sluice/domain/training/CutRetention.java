package dev.sluice.domain.training;

import dev.sluice.events.TrainingEvent.CheckpointSaved;
import dev.sluice.events.TrainingRequest;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.IntPredicate;

/**
 * Which cuts of a run stay.
 *
 * @param last so many of the newest, from 1
 * @param every those whose step it divides; 0 for none
 * @param best so many with the highest mean reward of the evaluations after their step; 0 for none
 * @param evaluated whether an evaluation follows a step
 */
public record CutRetention(int last, int every, int best, IntPredicate evaluated) {

    public static CutRetention of(TrainingRequest request) {
        TrainingRequest.Checkpoints checkpoints = request.checkpoints();
        return new CutRetention(
                Math.max(1, checkpoints.keepLast()),
                checkpoints.keepEvery(),
                checkpoints.keepBest(),
                step -> request.evaluation().stream()
                        .anyMatch(set -> set.everySteps() > 0 && step % set.everySteps() == 0));
    }

    /**
     * The cuts that go.
     *
     * @param cuts those that are kept now, oldest first
     * @param scores mean reward of the evaluations after a step, of the steps that were evaluated
     */
    public List<CheckpointSaved> retired(List<CheckpointSaved> cuts, Map<Integer, Double> scores) {
        Set<Integer> bestSteps = bestSteps(cuts, scores);
        int newestScored = scores.keySet().stream().mapToInt(step -> step).max().orElse(-1);
        return cuts.stream()
                .limit(Math.max(0, cuts.size() - last))
                .filter(cut -> every == 0 || cut.step() % every != 0)
                .filter(cut -> !bestSteps.contains(cut.step()))
                // Its evaluation may still be going on beside training.
                .filter(cut -> best == 0 || cut.step() <= newestScored || !evaluated.test(cut.step()))
                .toList();
    }

    private Set<Integer> bestSteps(List<CheckpointSaved> cuts, Map<Integer, Double> scores) {
        // Of equal ones the newer: it has seen more.
        Comparator<Integer> byScore =
                Comparator.<Integer, Double>comparing(scores::get).thenComparing(Comparator.naturalOrder());
        return new HashSet<>(cuts.stream()
                .map(CheckpointSaved::step)
                .distinct()
                .filter(scores::containsKey)
                .sorted(byScore.reversed())
                .limit(best)
                .toList());
    }
}
