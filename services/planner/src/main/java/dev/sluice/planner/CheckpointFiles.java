package dev.sluice.planner;

import dev.sluice.checkpoint.CheckpointException;
import dev.sluice.checkpoint.HuggingFaceCheckpoint;
import dev.sluice.checkpoint.TorchDistCheckpoint;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/** Whether a directory holds weights that a worker can load beside the policy: Hugging Face or torch_dist. */
final class CheckpointFiles {
    private CheckpointFiles() {}

    static Optional<String> problem(Path directory) {
        if (!Files.isDirectory(directory)) {
            return Optional.of(directory + " is not a directory on the planner's host");
        }
        if (Files.isRegularFile(directory.resolve("config.json"))) {
            return HuggingFaceCheckpoint.problems(directory).stream().findFirst();
        }
        try (TorchDistCheckpoint checkpoint = TorchDistCheckpoint.open(directory)) {
            return checkpoint.keys().isEmpty() ? Optional.of(directory + " holds no tensor") : Optional.empty();
        } catch (CheckpointException e) {
            return Optional.of(e.getMessage());
        }
    }
}
