package dev.sluice.trainer.scenario;

import dev.sluice.checkpoint.SafetensorsFile;
import dev.sluice.checkpoint.SafetensorsWriter;
import dev.sluice.checkpoint.TensorEntry;
import dev.sluice.checkpoint.TensorSource;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** The example's model with so many more tokens in its vocabulary that a pass takes hundreds of MiB, and longer sequences. */
final class WideVocabulary {
    private static final long TIMES = 256;

    private WideVocabulary() {}

    /** Writes the model, without a tokenizer: its new tokens are the old ones again. */
    static void write(Path model, Path target) throws IOException {
        Files.createDirectories(target);
        String config = Files.readString(model.resolve("config.json"))
                .replaceAll("(\"max_position_embeddings\"\\s*:\\s*)\\d+", "$1 2048")
                .replaceAll("(\"vocab_size\"\\s*:\\s*)\\d+", "$1" + 64 * TIMES);
        Files.writeString(target.resolve("config.json"), config);
        try (SafetensorsFile file = SafetensorsFile.open(model.resolve("model.safetensors"))) {
            List<TensorSource> tensors = new ArrayList<>();
            for (TensorEntry entry : file.tensors().values()) {
                boolean ofVocabulary = entry.name().endsWith("embed_tokens.weight")
                        || entry.name().endsWith("head.weight");
                tensors.add(source(entry, file.data(entry.name()), ofVocabulary ? TIMES : 1));
            }
            SafetensorsWriter.write(target.resolve("model.safetensors"), tensors, file.metadata());
        }
    }

    private static TensorSource source(TensorEntry entry, ByteBuffer data, long times) {
        ByteBuffer repeated =
                ByteBuffer.allocate(Math.toIntExact(entry.bytes() * times)).order(ByteOrder.LITTLE_ENDIAN);
        for (long i = 0; i < times; i++) {
            repeated.put(data.duplicate());
        }
        List<Long> shape = new ArrayList<>(entry.shape());
        shape.set(0, shape.getFirst() * times);
        return TensorSource.of(entry.name(), entry.dtype(), shape, repeated.flip());
    }
}
