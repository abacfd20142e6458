package dev.sluice.checkpoint;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** What belongs to a model besides its weights: configuration, tokenizer, chat template, licence. */
final class ModelAssets {
    private static final Pattern WEIGHTS = Pattern.compile(
            ".*\\.(safetensors|safetensors\\.index\\.json|bin|bin\\.index\\.json|pt|pth|gguf|onnx|h5|msgpack)|manifest\\.json");
    private static final long MAX_FILE_BYTES = 256L << 20;

    private ModelAssets() {}

    /** The plain files at the top of a model directory; links are followed, since download caches consist of them. */
    static List<SmallFile> in(Path source) {
        try (Stream<Path> listed = Files.list(source)) {
            List<Path> files = listed.filter(Files::isRegularFile)
                    .filter(file -> !file.getFileName().toString().startsWith("."))
                    .filter(file ->
                            !WEIGHTS.matcher(file.getFileName().toString()).matches())
                    .sorted()
                    .toList();
            List<SmallFile> assets = new ArrayList<>();
            for (Path file : files) {
                boolean configuration = file.getFileName().toString().equals("config.json");
                assets.add(configuration ? configuration(file) : asset(file, Files.size(file)));
            }
            return assets;
        } catch (IOException e) {
            throw new CheckpointException("cannot list " + source + ": " + e, e);
        }
    }

    /** The weights beside it are never quantised, so the configuration must not say that they are. */
    private static SmallFile configuration(Path file) throws IOException {
        if (Json.file(file) instanceof ObjectNode config && config.remove("quantization_config") != null) {
            return SmallFile.of(file.getFileName().toString(), Json.pretty(config));
        }
        return asset(file, Files.size(file));
    }

    private static SmallFile asset(Path file, long bytes) {
        if (bytes > MAX_FILE_BYTES) {
            throw new CheckpointException("%s has %d bytes; files beside the weights may have at most %d, move it away"
                    .formatted(file, bytes, MAX_FILE_BYTES));
        }
        return new SmallFile(file.getFileName().toString(), bytes, out -> {
            try (FileChannel in = FileChannel.open(file, StandardOpenOption.READ)) {
                long done = 0;
                while (done < bytes) {
                    done += in.transferTo(done, bytes - done, out);
                }
            }
        });
    }
}
