package dev.sluice.cli.checkpoint;

import dev.sluice.checkpoint.CheckpointException;
import dev.sluice.checkpoint.CheckpointFormat;
import dev.sluice.checkpoint.CheckpointView;
import dev.sluice.checkpoint.HuggingFaceCheckpoint;
import dev.sluice.cli.CommandFailure;
import java.nio.file.Path;
import java.util.List;

/** Opens what a person named. */
final class OpenedCheckpoint {
    private OpenedCheckpoint() {}

    /** @throws CommandFailure with everything that is wrong, a line each */
    static CheckpointView at(Path path) {
        try {
            return CheckpointView.open(path);
        } catch (CheckpointException e) {
            throw CommandFailure.usage(String.join("\n", problems(path, e)));
        }
    }

    /** All that keeps a checkpoint from being opened; the first thing is {@code found}. */
    static List<String> problems(Path path, CheckpointException found) {
        try {
            List<String> all = CheckpointFormat.of(path) == CheckpointFormat.HUGGING_FACE
                    ? HuggingFaceCheckpoint.problems(path)
                    : List.of();
            return all.isEmpty() ? List.of(found.getMessage()) : all;
        } catch (CheckpointException noCheckpoint) {
            return List.of(found.getMessage());
        }
    }
}
