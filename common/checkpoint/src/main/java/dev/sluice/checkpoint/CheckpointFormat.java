package dev.sluice.checkpoint;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/** The kinds of checkpoint that can be told apart by the names of their files. */
public enum CheckpointFormat {
    HUGGING_FACE("Hugging Face"),
    TORCH_DIST("Megatron torch_dist"),
    SAFETENSORS("safetensors file");

    private static final int NAMES_SHOWN = 6;
    private static final String WANTED =
            "; a Hugging Face directory has config.json and safetensors files, a torch_dist checkpoint "
                    + TorchDistDirectory.TRACKER + " or, in one iteration, metadata.json and .metadata";

    private final String title;

    CheckpointFormat(String title) {
        this.title = title;
    }

    /** The name that people use. */
    public String title() {
        return title;
    }

    /**
     * What lies at a path, judged by names alone.
     *
     * @throws CheckpointException if it is no checkpoint; says what is there instead
     */
    public static CheckpointFormat of(Path path) {
        if (Files.isRegularFile(path)) {
            if (path.toString().endsWith(".safetensors")) {
                return SAFETENSORS;
            }
            throw new CheckpointException(path + " is a file, but not a safetensors file" + WANTED);
        }
        if (!Files.isDirectory(path)) {
            throw new CheckpointException("there is no file or directory " + path);
        }
        if (has(path, TorchDistDirectory.TRACKER)
                || has(path, TorchDistDirectory.FORMAT)
                || has(path, TorchDistDirectory.METADATA)) {
            return TORCH_DIST;
        }
        if (has(path, "config.json") || has(path, ShardIndex.FILE) || has(path, ShardIndex.SINGLE_SHARD)) {
            return HUGGING_FACE;
        }
        throw new CheckpointException(path + " is no checkpoint: it holds " + content(path) + WANTED);
    }

    private static boolean has(Path directory, String file) {
        return Files.isRegularFile(directory.resolve(file));
    }

    /** The first names, and a hint where they show what the directory is. */
    private static String content(Path directory) {
        try (Stream<Path> listed = Files.list(directory)) {
            List<String> names = listed.map(file -> file.getFileName().toString())
                    .sorted()
                    .limit(1000)
                    .toList();
            if (names.isEmpty()) {
                return "nothing";
            }
            String shown = String.join(", ", names.subList(0, Math.min(NAMES_SHOWN, names.size())));
            String more = names.size() > NAMES_SHOWN ? " and more" : "";
            return shown + more + hint(names);
        } catch (IOException e) {
            throw new CheckpointException("cannot list " + directory + ": " + e, e);
        }
    }

    private static String hint(List<String> names) {
        if (names.stream().anyMatch(name -> name.endsWith(".bin") || name.endsWith(".pth"))) {
            return " (weights in pickles are not read; save the model as safetensors)";
        }
        return names.stream()
                .filter(name -> name.equals(TorchDistDirectory.RELEASE) || name.startsWith("iter_"))
                .reduce((first, last) -> last)
                .map(name -> " (without a tracker file; give the iteration itself, such as " + name + ")")
                .orElse("");
    }
}
