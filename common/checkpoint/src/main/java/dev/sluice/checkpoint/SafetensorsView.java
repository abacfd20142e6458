package dev.sluice.checkpoint;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import org.jspecify.annotations.Nullable;

/** A single safetensors file as a view. */
record SafetensorsView(Path path, SafetensorsFile file) implements CheckpointView {
    @Override
    public CheckpointFormat format() {
        return CheckpointFormat.SAFETENSORS;
    }

    @Override
    public Map<String, @Nullable Object> arguments() {
        return Map.copyOf(file.metadata());
    }

    @Override
    public SortedMap<String, TensorEntry> tensors() {
        return file.tensors();
    }

    @Override
    public TensorReader reader(String name) {
        ByteRange range = file.range(name);
        int width = file.tensors().get(name).dtype().bytes();
        return window -> range.slice(window.first() * width, (long) window.elements() * width);
    }

    @Override
    public List<String> problems() {
        return List.of();
    }

    @Override
    public void close() {
        file.close();
    }
}
