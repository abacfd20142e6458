package dev.sluice.cpu.worker;

import com.fasterxml.jackson.databind.JsonNode;
import dev.sluice.checkpoint.CheckpointException;
import dev.sluice.checkpoint.DType;
import dev.sluice.checkpoint.Manifest;
import dev.sluice.checkpoint.ModelTensors;
import dev.sluice.checkpoint.Progress;
import dev.sluice.checkpoint.TensorSource;
import dev.sluice.checkpoint.TorchDistCheckpoint;
import dev.sluice.checkpoint.TorchDistWriter;
import dev.sluice.checkpoint.TrainedModel;
import dev.sluice.cpu.model.AdamW;
import dev.sluice.cpu.model.WeightSource;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;

/**
 * A point from which training goes on bit for bit: weights, both moments and the counters, as a torch_dist checkpoint whose
 * iteration is the step; a critic's likewise in the folder {@code critic}.
 *
 * @param step steps trained into it
 * @param optimizerSteps optimizer steps taken in all
 */
record Cut(int step, long optimizerSteps) {
    private static final String COUNTERS = "sluice";
    private static final String CRITIC = "critic";

    /**
     * Writes a cut with its manifest.
     *
     * @return the manifest's SHA-256, hexadecimal
     */
    String write(Path directory, Policy policy, @Nullable Policy critic, Progress progress) {
        write(directory, policy, progress);
        if (critic != null) {
            new Cut(step, critic.optimizer().steps()).write(directory.resolve(CRITIC), critic, progress);
        }
        return Manifest.write(directory);
    }

    private void write(Path directory, Policy policy, Progress progress) {
        List<TensorSource> weights = WeightSource.all(policy.weights(), DType.F32).stream()
                .filter(source -> !source.slice().copy())
                .map(TensorSource.class::cast)
                .toList();
        Map<String, List<TensorSource>> moments = new HashMap<>();
        for (String family : AdamW.FAMILIES) {
            moments.put(family, List.copyOf(policy.optimizer().sources(family)));
        }
        Map<String, Object> counters = Map.of("step", (long) step, "optimizerSteps", optimizerSteps);
        TrainedModel model = new TrainedModel(policy.config(), OptionalLong.of(step), weights, moments, counters);
        TorchDistWriter.write(directory, model, progress);
    }

    /**
     * Reads what {@link #write} wrote, every file checked against the manifest.
     *
     * @throws CheckpointException if a file differs from the manifest, or optimizer state is missing
     */
    static Resumed read(Path directory, JsonNode config) {
        Manifest.verify(directory);
        return readModel(directory, config);
    }

    /**
     * The critic of a cut that {@link #read} has read.
     *
     * @throws CheckpointException if the cut was written without one
     */
    static Policy readCritic(Path directory, JsonNode config) {
        if (!Files.isDirectory(directory.resolve(CRITIC))) {
            throw new CheckpointException(
                    directory + " was written without a critic; resume with the algorithm that wrote it");
        }
        return readModel(directory.resolve(CRITIC), config).policy();
    }

    private static Resumed readModel(Path directory, JsonNode config) {
        try (TorchDistCheckpoint checkpoint = TorchDistCheckpoint.open(directory)) {
            Cut cut = counters(checkpoint);
            Policy policy = Policy.of(config, Policy.weights(config, checkpoint));
            try {
                for (String family : AdamW.FAMILIES) {
                    ModelTensors moments = ModelTensors.optimizerStates(config, checkpoint, family);
                    policy.optimizer().putAll(family, moments.tensors(), moments::data);
                }
                policy.optimizer().resumeAfter(cut.optimizerSteps);
                return new Resumed(cut, policy);
            } catch (RuntimeException e) {
                policy.close();
                throw e;
            }
        }
    }

    /** A cut and the policy that it holds. */
    record Resumed(Cut cut, Policy policy) {}

    private static Cut counters(TorchDistCheckpoint checkpoint) {
        if (checkpoint.common().get(COUNTERS) instanceof Map<?, ?> counters
                && counters.get("step") instanceof Number step
                && counters.get("optimizerSteps") instanceof Number optimizerSteps) {
            return new Cut(step.intValue(), optimizerSteps.longValue());
        }
        throw new CheckpointException(checkpoint.directory()
                + " says nothing of steps, so it is no cut; resume from a directory that /save wrote");
    }
}
