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
import dev.sluice.cpu.model.Weights;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * A point from which training goes on bit for bit: weights, both moments and the counters, as a torch_dist checkpoint whose
 * iteration is the step; a critic's likewise in the folder {@code critic}, and the weights of a
 * reference that was the policy of an earlier step in {@code reference}.
 *
 * @param step steps trained into it
 * @param optimizerSteps optimizer steps taken in all
 */
record Cut(int step, long optimizerSteps) {
    private static final String COUNTERS = "sluice";
    private static final String CRITIC = "critic";
    private static final String REFERENCE = "reference";

    /**
     * What a cut holds.
     *
     * @param taken the tensors themselves, or copies of them
     */
    TrainedModel content(Policy policy, UnaryOperator<List<WeightSource>> taken) {
        Map<String, List<TensorSource>> moments = new HashMap<>();
        for (String family : AdamW.FAMILIES) {
            moments.put(family, List.copyOf(taken.apply(policy.optimizer().sources(family))));
        }
        Map<String, Object> counters = Map.of("step", (long) step, "optimizerSteps", optimizerSteps);
        return new TrainedModel(
                policy.config(), OptionalLong.of(step), weights(policy.weights(), taken), moments, counters);
    }

    /** What a cut holds of a model that is not trained. */
    TrainedModel frozen(JsonNode config, Weights weights, UnaryOperator<List<WeightSource>> taken) {
        return new TrainedModel(config, OptionalLong.of(step), weights(weights, taken), Map.of(), Map.of());
    }

    private static List<TensorSource> weights(Weights weights, UnaryOperator<List<WeightSource>> taken) {
        return List.copyOf(taken.apply(WeightSource.all(weights, DType.F32).stream()
                .filter(source -> !source.slice().copy())
                .toList()));
    }

    /**
     * Writes a cut with its manifest.
     *
     * @return the manifest's SHA-256, hexadecimal
     */
    static String write(Path directory, Models models, Progress progress) {
        TorchDistWriter.write(directory, models.policy, progress);
        if (models.critic != null) {
            TorchDistWriter.write(directory.resolve(CRITIC), models.critic, progress);
        }
        if (models.reference != null) {
            TorchDistWriter.write(directory.resolve(REFERENCE), models.reference, progress);
        }
        return Manifest.write(directory);
    }

    /**
     * The models of a cut.
     *
     * @param critic absent without one
     * @param reference absent unless it was the policy of an earlier step
     */
    record Models(
            TrainedModel policy,
            @Nullable TrainedModel critic,
            @Nullable TrainedModel reference) {}

    /** Where the reference of a cut lies, if the cut has one. */
    static @Nullable Path reference(Path directory) {
        Path reference = directory.resolve(REFERENCE);
        return Files.isDirectory(reference) ? reference : null;
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
