package dev.sluice.checkpoint;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.SortedSet;
import java.util.TreeMap;

/**
 * A Hugging Face directory as a view.
 *
 * @param tensors as they are to be seen
 * @param multiplied the weights that are multiplied by the scales of their blocks when they are read
 */
record HuggingFaceView(
        HuggingFaceCheckpoint checkpoint,
        SortedMap<String, TensorEntry> tensors,
        Map<String, BlockScaledSource> multiplied)
        implements CheckpointView {
    static HuggingFaceView asStored(HuggingFaceCheckpoint checkpoint) {
        return new HuggingFaceView(checkpoint, checkpoint.tensors(), Map.of());
    }

    @Override
    public SortedSet<String> blockScaled() {
        return multiplied.isEmpty() ? scales().weights() : Collections.emptySortedSet();
    }

    @Override
    public CheckpointView multipliedOut() {
        BlockScales scales = scales();
        DType dtype = new ModelConfig(checkpoint.config()).dtype();
        SortedMap<String, TensorEntry> plain = new TreeMap<>(tensors);
        plain.keySet().removeIf(scales::isScale);
        Map<String, BlockScaledSource> sources = new HashMap<>();
        for (String name : blockScaled()) {
            BlockScaledSource source = checkpoint.multipliedOut(name, dtype);
            sources.put(name, source);
            plain.put(name, new TensorEntry(name, dtype, source.shape(), 0, source.bytes()));
        }
        return sources.isEmpty() ? this : new HuggingFaceView(checkpoint, plain, sources);
    }

    @Override
    public CheckpointFormat format() {
        return CheckpointFormat.HUGGING_FACE;
    }

    @Override
    public Path path() {
        return checkpoint.directory();
    }

    @Override
    public Optional<JsonNode> config() {
        return Optional.of(checkpoint.config());
    }

    @Override
    public TensorReader reader(String name) {
        BlockScaledSource source = multiplied.get(name);
        if (source != null) {
            return window -> source.read(window.first(), window.elements());
        }
        int width = checkpoint.source(name).dtype().bytes();
        ByteRange range = checkpoint.range(name);
        return window -> range.slice(window.first() * width, (long) window.elements() * width);
    }

    /** A model whose family has no name map is sound for all that can be told, and read under its own names. */
    @Override
    public List<String> problems() {
        return familyNote().isPresent() ? List.of() : HuggingFaceCheckpoint.problems(path());
    }

    @Override
    public List<String> notes() {
        List<String> notes = new ArrayList<>(familyNote().stream().toList());
        if (!multiplied.isEmpty()) {
            BlockScaledSource any = multiplied.values().iterator().next();
            notes.add("%s: %d weights are F8_E4M3, here multiplied by the scales of their blocks and rounded to %s"
                    .formatted(path(), multiplied.size(), any.dtype()));
        }
        return notes;
    }

    @Override
    public Map<String, String> copies() {
        return familyNote().isPresent() ? Map.of() : TorchDistView.copies(checkpoint.config());
    }

    @Override
    public void close() {
        checkpoint.close();
    }

    private BlockScales scales() {
        return BlockScales.of(checkpoint.config(), checkpoint.tensors());
    }

    private Optional<String> familyNote() {
        try {
            ModelFamily.of(new ModelConfig(checkpoint.config()).family());
            return Optional.empty();
        } catch (CheckpointException e) {
            return Optional.of(e.getMessage() + "; it can be looked into and compared, not converted");
        }
    }
}
