package dev.sluice.cpu.engine;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.sluice.checkpoint.DType;
import dev.sluice.checkpoint.HuggingFaceCheckpoint;
import dev.sluice.checkpoint.SafetensorsWriter;
import dev.sluice.checkpoint.TensorSource;
import dev.sluice.cpu.model.ModelConfig;
import dev.sluice.cpu.model.Tensors;
import dev.sluice.cpu.model.WeightSlice;
import dev.sluice.cpu.model.Weights;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/** Model directories to serve. */
final class TestModels {
    /** The tiny model of the checkpoint fixtures: random weights, vocabulary 300, no tokenizer. */
    static final Path TINY = Path.of(System.getProperty("sluice.root"), "common/checkpoint/src/test/fixtures/hf_tiny");

    /** Vocabulary of {@link #markov}: the letter z, end of sequence and the letters a to n. */
    static final int LETTERS = 16;

    static final int END = 1;

    private TestModels() {}

    /**
     * A model whose next token depends on the last one alone: attention and feed-forward add nothing, so the hidden state is
     * the normed embedding. Its multi-token-prediction layer passes the embedding through, plus noise: without noise its
     * scores are the target's own and every greedy draft is right.
     *
     * @param sharpness factor on the scores; 0 makes all tokens equally likely
     * @param draftNoise standard deviation that is added to what the drafting layer passes through
     */
    @SuppressWarnings("try")
    static Path markov(Path directory, double sharpness, double draftNoise) throws IOException {
        Files.createDirectories(directory);
        ObjectMapper json = new ObjectMapper();
        ObjectNode config =
                (ObjectNode) json.readTree(TINY.resolve("config.json").toFile());
        config.put("vocab_size", LETTERS).put("eos_token_id", END);
        json.writeValue(directory.resolve("config.json").toFile(), config);
        Files.writeString(directory.resolve("tokenizer.json"), tokenizer(json));
        try (PointerScope scope = new PointerScope();
                NoGradGuard noGrad = new NoGradGuard();
                Weights weights = Weights.zeros(ModelConfig.read(directory))) {
            Random random = new Random(7);
            int hidden = weights.config().hiddenSize();
            weights.fused().forEach((name, tensor) -> {
                if (name.endsWith("norm")) {
                    tensor.copy_(torch.ones_like(tensor));
                }
            });
            put(weights, "embed", normal(random, LETTERS * hidden, 1));
            put(weights, "head", normal(random, LETTERS * hidden, sharpness / Math.sqrt(hidden)));
            float[] join = normal(random, hidden * 2 * hidden, draftNoise / Math.sqrt(2 * hidden));
            for (int i = 0; i < hidden; i++) {
                join[i * 2 * hidden + i] += 1;
            }
            put(weights, "layers." + weights.config().layers() + ".join", join);
            write(directory, weights);
        }
        return directory;
    }

    /**
     * A model with noise on some of its weights.
     *
     * @param names what the Hugging Face names of these weights contain
     * @param deviation standard deviation of the noise
     */
    @SuppressWarnings("try")
    static Path noisy(Path model, Path directory, long seed, double deviation, String... names) throws IOException {
        Files.createDirectories(directory);
        Files.copy(model.resolve("config.json"), directory.resolve("config.json"));
        try (HuggingFaceCheckpoint checkpoint = HuggingFaceCheckpoint.open(model);
                PointerScope scope = new PointerScope();
                NoGradGuard noGrad = new NoGradGuard();
                Weights weights = Weights.load(checkpoint)) {
            Random random = new Random(seed);
            for (WeightSlice slice : weights.slices()) {
                if (Arrays.stream(names).anyMatch(slice.name()::contains)) {
                    Tensor view = weights.view(slice);
                    float[] noise = normal(random, Math.toIntExact(view.numel()), deviation);
                    view.add_(Tensors.of(noise, Tensors.shape(view)));
                }
            }
            write(directory, weights);
        }
        return directory;
    }

    /** Writes weights as model.safetensors, float32. */
    @SuppressWarnings("try")
    static void write(Path directory, Weights weights) {
        try (PointerScope scope = new PointerScope();
                NoGradGuard noGrad = new NoGradGuard()) {
            List<TensorSource> tensors = new ArrayList<>();
            for (WeightSlice slice : weights.slices()) {
                tensors.add(
                        TensorSource.of(slice.name(), DType.F32, slice.shape(), Tensors.bytes(weights.view(slice))));
            }
            SafetensorsWriter.write(directory.resolve("model.safetensors"), tensors, Map.of("format", "pt"));
        }
    }

    private static void put(Weights weights, String name, float[] values) {
        weights.get(name).copy_(Tensors.of(values, Tensors.shape(weights.get(name))));
    }

    private static float[] normal(Random random, int count, double deviation) {
        float[] values = new float[count];
        for (int i = 0; i < count; i++) {
            values[i] = (float) (deviation * random.nextGaussian());
        }
        return values;
    }

    private static String tokenizer(ObjectMapper json) throws IOException {
        ObjectNode root = json.createObjectNode().put("version", "1.0");
        root.putArray("added_tokens")
                .addObject()
                .put("id", END)
                .put("content", "<eos>")
                .put("single_word", false)
                .put("lstrip", false)
                .put("rstrip", false)
                .put("normalized", false)
                .put("special", true);
        ObjectNode split = root.putObject("pre_tokenizer").put("type", "Split");
        split.putObject("pattern").put("Regex", ".");
        split.put("behavior", "Isolated").put("invert", false);
        root.putObject("decoder").put("type", "Fuse");
        ObjectNode model = root.putObject("model").put("type", "WordLevel").put("unk_token", "z");
        ObjectNode vocabulary = model.putObject("vocab");
        List<String> tokens = new ArrayList<>(List.of("z", "<eos>"));
        tokens.addAll(Arrays.asList("abcdefghijklmn".split("")));
        for (int id = 0; id < tokens.size(); id++) {
            vocabulary.put(tokens.get(id), id);
        }
        return json.writeValueAsString(root);
    }
}
