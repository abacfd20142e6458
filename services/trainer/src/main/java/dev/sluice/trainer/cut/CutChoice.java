package dev.sluice.trainer.cut;

import dev.sluice.checkpoint.CheckpointException;
import dev.sluice.checkpoint.Manifest;
import dev.sluice.events.TrainingEvent.CheckpointSaved;
import dev.sluice.trainer.run.TrainingRefusedException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Which cut a run goes on from: the newest whose files are what its event says. */
public final class CutChoice {
    private static final Logger LOG = LoggerFactory.getLogger(CutChoice.class);

    private CutChoice() {}

    /**
     * @param cuts newest first
     * @param identity hash of what the run's cursors mean now
     * @return empty where there is no cut at all: then the run begins at its logs' beginning
     * @throws TrainingRefusedException if cursors mean other prompts than when the cut was made, or no cut verifies
     */
    public static Optional<CheckpointSaved> newestSound(List<CheckpointSaved> cuts, String identity) {
        for (CheckpointSaved cut : cuts) {
            if (!cut.dataSha256().equals(identity)) {
                throw new TrainingRefusedException(
                        ("the cut at step %d of %s was made with other prompts, seed, tokenizer or template (%s, now %s);"
                                        + " restore them, or start a new run")
                                .formatted(cut.step(), cut.runId(), cut.dataSha256(), identity));
            }
        }
        Optional<CheckpointSaved> sound = newestSound(cuts);
        if (sound.isPresent()) {
            return sound;
        }
        if (!cuts.isEmpty()) {
            throw new TrainingRefusedException(
                    "no cut of %s verifies, and the log before the oldest is no longer kept; restore one of %s, or start a new run"
                            .formatted(
                                    cuts.getFirst().runId(),
                                    cuts.stream()
                                            .map(CheckpointSaved::directory)
                                            .toList()));
        }
        return Optional.empty();
    }

    /**
     * The newest cut whose files are what its event says, whatever its cursors mean.
     *
     * @param cuts newest first
     */
    public static Optional<CheckpointSaved> newestSound(List<CheckpointSaved> cuts) {
        return cuts.stream().filter(CutChoice::isSound).findFirst();
    }

    private static boolean isSound(CheckpointSaved cut) {
        try {
            String found = Manifest.verify(Path.of(cut.directory()));
            if (found.equals(cut.manifestSha256())) {
                return true;
            }
            LOG.warn(
                    "a cut's manifest is another one; an older cut is tried step={} directory={} expected={} found={}",
                    cut.step(),
                    cut.directory(),
                    cut.manifestSha256(),
                    found);
        } catch (CheckpointException e) {
            LOG.warn("a cut does not verify; an older one is tried step={} error={}", cut.step(), e.getMessage());
        }
        return false;
    }
}
