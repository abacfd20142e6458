package dev.sluice.trainer.cut;

import dev.sluice.events.TrainingEvent.CheckpointSaved;
import dev.sluice.kafka.KafkaConnection;
import dev.sluice.trainer.log.TrainingHistory;
import dev.sluice.trainer.run.TrainedRun;
import dev.sluice.trainer.run.TrainingRefusedException;
import java.util.Optional;

/** The run that another one goes on from. */
public final class EarlierRun {
    private EarlierRun() {}

    /**
     * The cut that a run begins with, where its request names an earlier run. An ended run's cuts stay as they are, so that
     * every trainer of the run finds the same one.
     *
     * @param identity hash of what the run's cursors mean
     * @throws TrainingRefusedException if the earlier run has no sound cut, trained on other prompts, or came as far already
     */
    public static Optional<CheckpointSaved> cut(KafkaConnection connection, TrainedRun run, String identity) {
        String earlier = run.request().checkpoints().resumeFrom();
        if (earlier == null) {
            return Optional.empty();
        }
        CheckpointSaved cut = CutChoice.newestSound(
                        TrainingHistory.read(connection, earlier).cuts(), identity)
                .orElseThrow(() -> noCut(earlier));
        if (cut.step() >= run.steps()) {
            throw new TrainingRefusedException(
                    "the newest cut of run %s is after step %d already; set training.steps to more than that, not %d"
                            .formatted(earlier, cut.step(), run.steps()));
        }
        return Optional.of(cut);
    }

    /**
     * The same of a run that has begun already, for a replay of it.
     *
     * @param earlier the earlier run
     * @throws TrainingRefusedException if its cuts are gone
     */
    public static CheckpointSaved begunWith(KafkaConnection connection, String earlier) {
        return CutChoice.newestSound(TrainingHistory.read(connection, earlier).cuts())
                .orElseThrow(() -> noCut(earlier));
    }

    private static TrainingRefusedException noCut(String earlier) {
        return new TrainingRefusedException(
                "run %s has no sound cut to go on from; restore one, or start a run without checkpoints.resumeFrom"
                        .formatted(earlier));
    }
}
