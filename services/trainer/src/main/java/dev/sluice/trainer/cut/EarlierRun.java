package dev.sluice.trainer.cut;

import dev.sluice.domain.training.Adoption;
import dev.sluice.domain.training.Cut;
import dev.sluice.domain.training.TrainingRules;
import dev.sluice.events.TrainingEvent.CheckpointSaved;
import dev.sluice.kafka.KafkaConnection;
import dev.sluice.trainer.log.TrainingHistory;
import dev.sluice.trainer.run.TrainedRun;
import dev.sluice.trainer.run.TrainingRefusedException;
import java.util.List;
import java.util.Optional;

/**
 * The run that another one goes on from. An ended run's cuts and log stay as they are, so that every trainer of the run finds the
 * same beginning.
 *
 * @param saved the cut that the other one begins with
 * @param savedCuts every cut that it has saved, also those that are retired
 * @param adoption what of it the other one takes over
 */
public record EarlierRun(CheckpointSaved saved, List<CheckpointSaved> savedCuts, Adoption adoption) {

    /**
     * The run that a request names, if any.
     *
     * @param identity hash of what the run's cursors mean
     * @param own what the run itself has in its log so far
     * @throws TrainingRefusedException if the earlier run has no sound cut, trained on other prompts, or came as far already
     */
    public static Optional<EarlierRun> of(
            KafkaConnection connection, TrainedRun run, String identity, TrainingHistory own) {
        String earlier = run.request().checkpoints().resumeFrom();
        if (earlier == null) {
            return Optional.empty();
        }
        TrainingHistory history = TrainingHistory.read(connection, earlier);
        CheckpointSaved cut =
                CutChoice.newestSound(candidates(history, own), identity).orElseThrow(() -> noCut(earlier));
        if (cut.step() >= run.steps()) {
            throw new TrainingRefusedException(
                    "the newest cut of run %s is after step %d already; set training.steps to more than that, not %d"
                            .formatted(earlier, cut.step(), run.steps()));
        }
        return Optional.of(of(cut, history, run.rules()));
    }

    /**
     * The same of a run that has begun already, for a replay of it.
     *
     * @param earlier the earlier run
     * @param rules of the run that began with it
     * @param own what that run has in its log
     * @throws TrainingRefusedException if its cuts are gone
     */
    public static EarlierRun begunWith(
            KafkaConnection connection, String earlier, TrainingRules rules, TrainingHistory own) {
        TrainingHistory history = TrainingHistory.read(connection, earlier);
        return of(CutChoice.newestSound(candidates(history, own)).orElseThrow(() -> noCut(earlier)), history, rules);
    }

    private static EarlierRun of(CheckpointSaved cut, TrainingHistory history, TrainingRules rules) {
        return new EarlierRun(cut, history.savedCuts(), new Adoption(cut, history.batches(), rules));
    }

    /** The newest first; once the run has written down which one it begins with, no other. */
    private static List<CheckpointSaved> candidates(TrainingHistory history, TrainingHistory own) {
        return own.adopted()
                .map(adopted -> history.cuts().stream()
                        .filter(cut -> cut.directory().equals(adopted.directory()))
                        .toList())
                .orElseGet(history::cuts);
    }

    /** Where the run begins that goes on from this one. */
    public Cut cut() {
        return adoption.cut();
    }

    private static TrainingRefusedException noCut(String earlier) {
        return new TrainingRefusedException(
                "run %s has no sound cut to go on from; restore one, or start a run without checkpoints.resumeFrom"
                        .formatted(earlier));
    }
}
