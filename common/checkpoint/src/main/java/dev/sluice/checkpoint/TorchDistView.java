package dev.sluice.checkpoint;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.function.Predicate;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * A torch_dist checkpoint as a view.
 *
 * @param named the weights under Hugging Face names; null for Megatron's keys
 */
record TorchDistView(
        TorchDistCheckpoint checkpoint,
        @Nullable JsonNode modelConfig,
        @Nullable ModelTensors named) implements CheckpointView {
    private static final Pattern STATE = Pattern.compile("(optimizer|chained_\\d+|rng_state|rerun_state).*");
    private static final List<String> VOCABULARIES = List.of("embedding.word_embeddings.weight", "output_layer.weight");

    static TorchDistView ofKeys(TorchDistCheckpoint checkpoint) {
        return new TorchDistView(checkpoint, null, null);
    }

    @Override
    public CheckpointView underHuggingFaceNames(JsonNode config) {
        return new TorchDistView(checkpoint, config, ModelTensors.weights(config, checkpoint));
    }

    @Override
    public CheckpointFormat format() {
        return CheckpointFormat.TORCH_DIST;
    }

    @Override
    public Path path() {
        return checkpoint.directory();
    }

    @Override
    public Optional<String> iteration() {
        if (checkpoint.iteration().isPresent()) {
            return Optional.of(Long.toString(checkpoint.iteration().getAsLong()));
        }
        boolean release = path().endsWith(TorchDistDirectory.RELEASE);
        Object stored = checkpoint.common().get("iteration");
        return release || stored == null ? Optional.of(TorchDistDirectory.RELEASE) : Optional.of(stored.toString());
    }

    @Override
    public Map<String, @Nullable Object> arguments() {
        return checkpoint.arguments();
    }

    @Override
    public Optional<JsonNode> config() {
        return Optional.ofNullable(modelConfig);
    }

    @Override
    public SortedMap<String, TensorEntry> tensors() {
        return named == null ? entries(key -> !isState(key)) : named.tensors();
    }

    @Override
    public SortedMap<String, TensorEntry> states() {
        return entries(TorchDistView::isState);
    }

    @Override
    public SortedSet<String> items() {
        return checkpoint.byteKeys();
    }

    @Override
    public TensorReader reader(String name) {
        if (named != null && !isState(name)) {
            return named.reader(name);
        }
        ShardedReader reader = checkpoint.reader(name);
        return window -> reader.read(window.offsets(), window.sizes());
    }

    @Override
    public List<String> problems() {
        List<String> problems = new ArrayList<>();
        checkpoint.unreadable().forEach((key, reason) -> problems.add(key + " cannot be read: " + reason));
        tensors(checkpoint.keys()).forEach(tensor -> {
            try {
                tensor.checkTiling();
            } catch (CheckpointException e) {
                problems.add(e.getMessage());
            }
        });
        return problems;
    }

    @Override
    public Map<String, String> copies() {
        return modelConfig == null ? Map.of() : copies(modelConfig);
    }

    @Override
    public List<String> notes() {
        if (named == null || modelConfig == null) {
            return List.of();
        }
        List<String> notes = new ArrayList<>();
        long vocabulary = new ModelConfig(modelConfig).number("vocab_size");
        for (String key : VOCABULARIES) {
            long rows = checkpoint.keys().contains(key)
                    ? checkpoint.entry(key).shape().getFirst()
                    : vocabulary;
            if (rows > vocabulary) {
                notes.add("%s: %s has %d rows; the %d after the vocabulary of %d are padding and left out"
                        .formatted(path(), key, rows, rows - vocabulary, vocabulary));
            }
        }
        for (String key : entries(key -> !isState(key)).keySet()) {
            if (!named.namedKeys().contains(key)) {
                notes.add("%s: %s has no Hugging Face name and is left out".formatted(path(), key));
            }
        }
        return notes;
    }

    @Override
    public void close() {
        checkpoint.close();
    }

    static Map<String, String> copies(JsonNode config) {
        return ModelPlan.of(new ModelConfig(config), Naming.UNIVERSAL, true).copies();
    }

    private static boolean isState(String key) {
        return STATE.matcher(key).matches();
    }

    private List<ShardedTensor> tensors(SortedSet<String> keys) {
        return keys.stream().map(checkpoint::tensor).toList();
    }

    private SortedMap<String, TensorEntry> entries(Predicate<String> wanted) {
        SortedMap<String, TensorEntry> entries = new TreeMap<>();
        checkpoint.keys().stream().filter(wanted).forEach(key -> entries.put(key, checkpoint.entry(key)));
        return Collections.unmodifiableSortedMap(entries);
    }
}
