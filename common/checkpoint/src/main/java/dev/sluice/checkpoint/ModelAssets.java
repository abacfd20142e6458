package dev.sluice.checkpoint;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** What belongs to a model besides its weights: configuration, tokenizer, chat template, licence. */
final class ModelAssets {
    private static final Pattern WEIGHTS = Pattern.compile(
            ".*\\.(safetensors|safetensors\\.index\\.json|bin|bin\\.index\\.json|pt|pth|gguf|onnx|h5|msgpack)|manifest\\.json");
    private static final long MAX_FILE_BYTES = 256L << 20;

    private ModelAssets() {}

    /** Copies the plain files at the top of a model directory; links are followed, since download caches consist of them. */
    static void copy(Path source, Path target) {
        try (Stream<Path> listed = Files.list(source)) {
            List<Path> files = listed.filter(Files::isRegularFile)
                    .filter(file -> !file.getFileName().toString().startsWith("."))
                    .filter(file ->
                            !WEIGHTS.matcher(file.getFileName().toString()).matches())
                    .sorted()
                    .toList();
            for (Path file : files) {
                Path copy = target.resolve(file.getFileName().toString());
                if (file.getFileName().toString().equals("config.json")) {
                    copyConfiguration(file, copy);
                } else {
                    copyFile(file, copy);
                }
            }
        } catch (IOException e) {
            throw new CheckpointException("cannot list " + source + ": " + e, e);
        }
    }

    /** The weights beside it are never quantised, so the configuration must not say that they are. */
    private static void copyConfiguration(Path source, Path target) {
        if (Json.file(source) instanceof ObjectNode config && config.remove("quantization_config") != null) {
            DurableFiles.write(target, Json.pretty(config));
        } else {
            copyFile(source, target);
        }
    }

    private static void copyFile(Path source, Path target) {
        DurableFiles.write(target, out -> {
            try (FileChannel in = FileChannel.open(source, StandardOpenOption.READ)) {
                long bytes = in.size();
                if (bytes > MAX_FILE_BYTES) {
                    throw new IOException("%s has %d bytes; files beside the weights may have at most %d, move it away"
                            .formatted(source, bytes, MAX_FILE_BYTES));
                }
                long done = 0;
                while (done < bytes) {
                    done += in.transferTo(done, bytes - done, out);
                }
            }
        });
    }
}
