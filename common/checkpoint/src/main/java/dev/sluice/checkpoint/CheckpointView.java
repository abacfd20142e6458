package dev.sluice.checkpoint;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.SortedSet;
import org.jspecify.annotations.Nullable;

/** A checkpoint of either format, opened for reading: what it holds, and its tensors' bytes in windows. Headers and metadata are all that is kept in memory. */
public sealed interface CheckpointView extends AutoCloseable permits HuggingFaceView, TorchDistView, SafetensorsView {

    /**
     * Opens a model directory of Hugging Face, a torch_dist checkpoint (its root or one iteration), or a single safetensors file.
     *
     * @throws CheckpointException if it is none of them, incomplete or damaged
     */
    static CheckpointView open(Path path) {
        return switch (CheckpointFormat.of(path)) {
            case HUGGING_FACE -> HuggingFaceView.asStored(HuggingFaceCheckpoint.open(path));
            case TORCH_DIST -> TorchDistView.ofKeys(TorchDistCheckpoint.open(path));
            case SAFETENSORS -> new SafetensorsView(path, SafetensorsFile.open(path));
        };
    }

    CheckpointFormat format();

    /** What was opened: for torch_dist the directory of the iteration. */
    Path path();

    /** {@code release} or the number of an iteration; only torch_dist has one. */
    default Optional<String> iteration() {
        return Optional.empty();
    }

    /** The arguments of the training, or the metadata of a safetensors file: plain values. */
    default Map<String, @Nullable Object> arguments() {
        return Map.of();
    }

    /** {@code config.json}, where there is one. */
    default Optional<JsonNode> config() {
        return Optional.empty();
    }

    /** The weights by name; offsets are of no use to a caller. */
    SortedMap<String, TensorEntry> tensors();

    /** Tensors that are no weights: states of the optimizer. */
    default SortedMap<String, TensorEntry> states() {
        return java.util.Collections.emptySortedMap();
    }

    /** Names of items that are no tensors: extra states of TransformerEngine, random states, the common state. */
    default SortedSet<String> items() {
        return java.util.Collections.emptySortedSet();
    }

    /**
     * A weight or state to be read in windows.
     *
     * @throws CheckpointException if there is none of that name, or it is damaged
     */
    TensorReader reader(String name);

    /** What is wrong although the checkpoint can be opened, each with its mend; without reading tensors. */
    List<String> problems();

    /** Tensors that repeat another one: name of the copy to name of the original. */
    default Map<String, String> copies() {
        return Map.of();
    }

    /** What is worth knowing about the names and shapes of this view. */
    default List<String> notes() {
        return List.of();
    }

    /** Sizes of the checkpoint's files by name. */
    default SortedMap<String, Long> files() {
        Path path = path();
        return Files.isDirectory(path) ? Listing.of(path) : Listing.ofFile(path);
    }

    /**
     * The weights under Hugging Face names; the view itself where it has them already. Closing either closes both.
     *
     * @throws CheckpointException if the configuration's family is unknown or belongs to another model
     */
    default CheckpointView underHuggingFaceNames(JsonNode modelConfig) {
        return this;
    }

    /** Weights stored as 8-bit floats with one scale a block: neither their bytes nor those of the scales are the weight. */
    default SortedSet<String> blockScaled() {
        return java.util.Collections.emptySortedSet();
    }

    /**
     * The same with {@link #blockScaled} weights in the type of {@code config.json}, multiplied by their scales as a conversion does it, and without the
     * scales. Closing either closes both.
     *
     * @throws CheckpointException if scales do not fit their weight
     */
    default CheckpointView multipliedOut() {
        return this;
    }

    @Override
    void close();
}
