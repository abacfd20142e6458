package dev.sluice.cpu.worker;

import com.fasterxml.jackson.databind.JsonNode;
import dev.sluice.checkpoint.HuggingFaceCheckpoint;
import dev.sluice.checkpoint.ModelTensors;
import dev.sluice.checkpoint.TorchDistCheckpoint;
import dev.sluice.cpu.model.AdamW;
import dev.sluice.cpu.model.Model;
import dev.sluice.cpu.model.ModelConfig;
import dev.sluice.cpu.model.Weights;
import java.nio.file.Files;
import java.nio.file.Path;
import org.bytedeco.pytorch.NoGradGuard;

/**
 * A model that is trained, with its optimizer: the policy or its critic.
 *
 * @param config config.json of the run's Hugging Face directory
 */
record Policy(JsonNode config, Weights weights, Model model, AdamW optimizer) implements AutoCloseable {

    static Policy of(JsonNode config, Weights weights) {
        return new Policy(config, weights, new Model(weights), new AdamW(weights));
    }

    /** A critic that begins with a policy's weights and the value 0 for everything. */
    @SuppressWarnings("try") // guards work by being open
    static Policy critic(JsonNode config, Weights weights) {
        try (NoGradGuard noGrad = new NoGradGuard()) {
            weights.get("head").zero_();
        }
        return of(config, weights);
    }

    /**
     * Weights of a torch_dist checkpoint, or of a Hugging Face directory.
     *
     * @throws IllegalArgumentException if they do not fit the configuration
     */
    static Weights weights(JsonNode config, Path directory) {
        if (Files.isRegularFile(directory.resolve("config.json"))) {
            try (HuggingFaceCheckpoint checkpoint = HuggingFaceCheckpoint.open(directory)) {
                return Weights.load(checkpoint);
            }
        }
        try (TorchDistCheckpoint checkpoint = TorchDistCheckpoint.open(directory)) {
            return weights(config, checkpoint);
        }
    }

    static Weights weights(JsonNode config, TorchDistCheckpoint checkpoint) {
        ModelTensors tensors = ModelTensors.weights(config, checkpoint);
        ModelConfig shape = ModelConfig.of(config);
        String mtp = "model.layers." + shape.layers() + ".";
        boolean hasMtp = tensors.tensors().keySet().stream().anyMatch(name -> name.startsWith(mtp));
        Weights weights = Weights.zeros(hasMtp ? shape : shape.withoutMtp());
        try {
            weights.putAll(tensors.tensors(), tensors::data);
            return weights;
        } catch (RuntimeException e) {
            weights.close();
            throw e;
        }
    }

    @Override
    public void close() {
        optimizer.close();
        model.close();
        weights.close();
    }
}
