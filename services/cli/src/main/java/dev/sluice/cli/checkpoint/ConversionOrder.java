package dev.sluice.cli.checkpoint;

import dev.sluice.checkpoint.CheckpointException;
import dev.sluice.checkpoint.CheckpointFormat;
import dev.sluice.checkpoint.CheckpointView;
import dev.sluice.cli.CommandFailure;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;

/**
 * What is to be converted to what.
 *
 * @param in the checkpoint to read
 * @param out the directory to make
 * @param source where an export takes configuration, tokenizer and untrained tensors from; null towards torch_dist
 * @param shardBytes of an export's files; empty for the library's default
 */
record ConversionOrder(
        Direction direction, Path in, Path out, @Nullable Path source, OptionalLong shardBytes) {
    /** Arguments of a training that name the model it started from. */
    private static final List<String> SOURCE_ARGUMENTS = List.of("hf_checkpoint", "load_hf_checkpoint");

    /**
     * Infers the direction from what lies at {@code in}.
     *
     * @throws CommandFailure with everything that keeps the conversion from starting, a line each
     */
    static ConversionOrder of(Path in, Path out, @Nullable Path config, OptionalLong shardBytes) {
        List<String> problems = new ArrayList<>();
        CheckpointFormat format = format(in, problems);
        boolean export = format == CheckpointFormat.TORCH_DIST;
        if (format == CheckpointFormat.SAFETENSORS) {
            problems.add(in + " is a single file; give the model directory that holds config.json too");
        }
        checkTarget(in, out, problems);
        if (format == CheckpointFormat.HUGGING_FACE) {
            if (config != null) {
                problems.add("--config is for exports of Megatron checkpoints; " + in + " has its own config.json");
            }
            if (shardBytes.isPresent()) {
                problems.add("--shard-bytes is for exports to Hugging Face; torch_dist has no shards");
            }
        }
        Path source = export ? source(in, config, problems) : null;
        if (!problems.isEmpty()) {
            throw CommandFailure.usage(String.join("\n", problems));
        }
        Direction direction = export ? Direction.TO_HUGGING_FACE : Direction.TO_TORCH_DIST;
        return new ConversionOrder(direction, in, out, source, shardBytes);
    }

    /** The configuration's directory; only for an export, which has one. */
    Path exportSource() {
        if (source == null) {
            throw new IllegalStateException("only an export has a source of names and assets");
        }
        return source;
    }

    private static @Nullable CheckpointFormat format(Path in, List<String> problems) {
        try {
            return CheckpointFormat.of(in);
        } catch (CheckpointException e) {
            problems.add(e.getMessage());
            return null;
        }
    }

    private static void checkTarget(Path in, Path out, List<String> problems) {
        Path source = in.toAbsolutePath().normalize();
        Path target = out.toAbsolutePath().normalize();
        if (target.startsWith(source)) {
            problems.add("%s lies inside %s; choose a directory outside of it".formatted(out, in));
        } else if (Files.exists(target, LinkOption.NOFOLLOW_LINKS)) {
            problems.add("%s exists already and is not replaced; choose another directory, or remove it first"
                    .formatted(out));
        }
    }

    private static @Nullable Path source(Path in, @Nullable Path config, List<String> problems) {
        if (config != null) {
            if (Files.isRegularFile(config.resolve("config.json"))) {
                return config;
            }
            problems.add("--config %s has no config.json; give the model directory that the training started from"
                    .formatted(config));
            return null;
        }
        try (CheckpointView view = CheckpointView.open(in)) {
            Optional<Path> named = SOURCE_ARGUMENTS.stream()
                    .map(view.arguments()::get)
                    .filter(String.class::isInstance)
                    .map(name -> Path.of((String) name))
                    .filter(path -> Files.isRegularFile(path.resolve("config.json")))
                    .findFirst();
            if (named.isEmpty()) {
                problems.add(in
                        + " does not say which model it was trained from, or that is not on this machine; give --config HF_DIR, "
                        + "the model directory with config.json, tokenizer and weights that the training started from");
            }
            return named.orElse(null);
        } catch (CheckpointException e) {
            problems.add(e.getMessage());
            return null;
        }
    }
}
