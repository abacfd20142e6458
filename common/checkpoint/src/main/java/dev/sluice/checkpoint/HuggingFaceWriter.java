package dev.sluice.checkpoint;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.file.Path;
import java.util.Collection;
import java.util.List;

/** Writes a Hugging Face model directory: shards, their index and {@code config.json}. */
public final class HuggingFaceWriter {
    /** Shards of this size suit SGLang's parallel loading. */
    public static final long DEFAULT_SHARD_BYTES = 5_000_000_000L;

    private HuggingFaceWriter() {}

    /**
     * Writes a new directory, which appears complete or not at all; sources are asked in the calling thread.
     *
     * @param shardBytes a shard holds at most so much, or one larger tensor
     * @throws CheckpointException if the directory exists or the disk fails
     */
    public static void write(
            Path directory, JsonNode config, Collection<? extends TensorSource> tensors, long shardBytes) {
        List<SmallFile> others = List.of(SmallFile.of("config.json", Json.pretty(config)));
        OutputLayout layout = HuggingFaceLayout.of(tensors, shardBytes, others);
        try (NewDirectory created = NewDirectory.beside(directory)) {
            created.reserve(layout.bytes());
            LayoutWriter.write(created.path(), layout, null, WriteSettings.SINGLE, Progress.NONE);
            created.publish();
        }
    }
}
