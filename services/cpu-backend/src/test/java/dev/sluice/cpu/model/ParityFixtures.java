package dev.sluice.cpu.model;

import dev.sluice.checkpoint.HuggingFaceCheckpoint;
import dev.sluice.checkpoint.SafetensorsFile;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import org.bytedeco.pytorch.Tensor;

/** Tensors that transformers and Megatron-Core computed for the tiny model; see the fixtures' README. */
public final class ParityFixtures {
    /** Epsilon of the latent norms in transformers, which made parity_hf and parity_train_hf. */
    public static final double TRANSFORMERS_LATENT_EPSILON = 1e-6;

    /** The same in Megatron and SGLang, hence here. */
    public static final double OUR_LATENT_EPSILON = 1e-5;

    private static final Path DIRECTORY =
            Path.of(System.getProperty("sluice.root"), "common/checkpoint/src/test/fixtures");

    private ParityFixtures() {}

    public static Path huggingFaceDirectory() {
        return DIRECTORY.resolve("hf_tiny");
    }

    /** All tensors of a fixture file; they live until the test's JVM ends. */
    public static Map<String, Tensor> read(String name) {
        Map<String, Tensor> tensors = new HashMap<>();
        try (SafetensorsFile file = SafetensorsFile.open(DIRECTORY.resolve(name + ".safetensors"))) {
            file.tensors().forEach((key, entry) -> {
                long[] shape = entry.shape().stream().mapToLong(Long::longValue).toArray();
                tensors.put(key, Tensors.keep(Tensors.of(entry.dtype(), file.data(key), shape)));
            });
        }
        return tensors;
    }

    /** The tiny model's weights. */
    public static Weights weights(double latentNormEpsilon) {
        try (HuggingFaceCheckpoint checkpoint = HuggingFaceCheckpoint.open(huggingFaceDirectory())) {
            Weights weights =
                    Weights.zeros(ModelConfig.of(checkpoint.config()).withLatentNormEpsilon(latentNormEpsilon));
            weights.putAll(checkpoint.tensors(), checkpoint::data);
            return weights;
        }
    }

    /** Largest absolute difference; shapes may differ as long as the order of the values is the same. */
    public static double maxDifference(Tensor actual, Tensor expected) {
        return actual.detach().reshape(-1).sub(expected.reshape(-1)).abs().max().item_double();
    }

    /** L2 norm of the difference by that of the expected values. */
    public static double relativeDifference(Tensor actual, Tensor expected) {
        return actual.detach().sub(expected).norm().item_double()
                / expected.norm().item_double();
    }
}
