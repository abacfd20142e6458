package dev.sluice.checkpoint;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;

/** A Hugging Face directory as a view. */
record HuggingFaceView(HuggingFaceCheckpoint checkpoint) implements CheckpointView {
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
    public SortedMap<String, TensorEntry> tensors() {
        return checkpoint.tensors();
    }

    @Override
    public TensorReader reader(String name) {
        int width = checkpoint.source(name).dtype().bytes();
        return window -> checkpoint.data(name, window.first() * width, (long) window.elements() * width);
    }

    /** A model whose family has no name map is sound for all that can be told, and read under its own names. */
    @Override
    public List<String> problems() {
        return familyNote().isPresent() ? List.of() : HuggingFaceCheckpoint.problems(path());
    }

    @Override
    public List<String> notes() {
        return familyNote().stream().toList();
    }

    @Override
    public Map<String, String> copies() {
        return familyNote().isPresent() ? Map.of() : TorchDistView.copies(checkpoint.config());
    }

    @Override
    public void close() {
        checkpoint.close();
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
