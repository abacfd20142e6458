package dev.sluice.cli.checkpoint;

import com.fasterxml.jackson.databind.JsonNode;
import dev.sluice.checkpoint.CheckpointException;
import dev.sluice.checkpoint.CheckpointFormat;
import dev.sluice.checkpoint.CheckpointView;
import dev.sluice.checkpoint.HuggingFaceCheckpoint;
import dev.sluice.checkpoint.TensorEntry;
import dev.sluice.cli.CommandFailure;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Two checkpoints whose tensors have names in common: their own where both are of one format, those of Hugging Face where they are not or where a
 * configuration is given.
 */
record CheckpointPair(CheckpointView a, CheckpointView b) implements AutoCloseable {
    /** A tensor that both have. */
    record Match(TensorEntry a, TensorEntry b) {
        String name() {
            return a.name();
        }

        long bytes() {
            return a.bytes() + b.bytes();
        }
    }

    /**
     * Opens both.
     *
     * @param config where the model's {@code config.json} lies; needed when only one is torch_dist and the other has no configuration
     * @throws CommandFailure if one cannot be read, or the two have no common names
     */
    static CheckpointPair open(Path a, Path b, @Nullable Path config) {
        CheckpointView first = OpenedCheckpoint.at(a);
        try {
            CheckpointView second = OpenedCheckpoint.at(b);
            try {
                return named(first, second, config).alike();
            } catch (RuntimeException e) {
                second.close();
                throw e;
            }
        } catch (RuntimeException e) {
            first.close();
            throw e;
        }
    }

    /** Weights in blocks are compared as stored only where both have the same in blocks. */
    private CheckpointPair alike() {
        return a.blockScaled().equals(b.blockScaled())
                ? this
                : new CheckpointPair(a.multipliedOut(), b.multipliedOut());
    }

    List<Match> matches() {
        List<Match> matches = new ArrayList<>();
        a.tensors().forEach((name, tensor) -> {
            TensorEntry other = b.tensors().get(name);
            if (other != null) {
                matches.add(new Match(tensor, other));
            }
        });
        return matches;
    }

    List<String> onlyInA() {
        return only(a, b, false);
    }

    List<String> onlyInB() {
        return only(b, a, false);
    }

    /** What is to be known about names and shapes before a figure is believed. */
    List<String> notes() {
        List<String> notes = new ArrayList<>(a.notes());
        notes.addAll(b.notes());
        repeated(notes, only(a, b, true), a);
        repeated(notes, only(b, a, true), b);
        if (!a.states().isEmpty() || !b.states().isEmpty()) {
            notes.add("optimizer and random states are not compared");
        }
        boolean keys = a.format() == CheckpointFormat.TORCH_DIST && a.config().isEmpty();
        if (keys && !onlyInA().isEmpty() && !onlyInB().isEmpty()) {
            notes.add(
                    "Megatron's names depend on how the model was built; --config HF_DIR compares under those of Hugging Face");
        }
        return notes.stream().distinct().toList();
    }

    @Override
    public void close() {
        a.close();
        b.close();
    }

    private static void repeated(List<String> notes, List<String> names, CheckpointView view) {
        if (!names.isEmpty()) {
            notes.add("%s: %d tensors repeat others that both have, and are not counted: %s"
                    .formatted(view.path(), names.size(), String.join(", ", names)));
        }
    }

    /** @param repeated whether those that only repeat what the other has are wanted, or the rest */
    private static List<String> only(CheckpointView view, CheckpointView other, boolean repeated) {
        return view.tensors().keySet().stream()
                .filter(name -> !other.tensors().containsKey(name))
                .filter(name ->
                        repeated == other.tensors().containsKey(view.copies().getOrDefault(name, "")))
                .toList();
    }

    private static CheckpointPair named(CheckpointView a, CheckpointView b, @Nullable Path config) {
        boolean torchA = a.format() == CheckpointFormat.TORCH_DIST;
        boolean torchB = b.format() == CheckpointFormat.TORCH_DIST;
        if (!torchA && !torchB || torchA && torchB && config == null) {
            return new CheckpointPair(a, b);
        }
        try {
            Optional<JsonNode> model =
                    config == null ? a.config().or(b::config) : Optional.of(HuggingFaceCheckpoint.config(config));
            JsonNode json = model.orElseThrow(() -> CommandFailure.usage(
                    "%s has Megatron's names and %s those of Hugging Face; give --config DIR with the model's config.json"
                            .formatted((torchA ? a : b).path(), (torchA ? b : a).path())));
            return new CheckpointPair(a.underHuggingFaceNames(json), b.underHuggingFaceNames(json));
        } catch (CheckpointException e) {
            throw CommandFailure.usage(e.getMessage());
        }
    }
}
