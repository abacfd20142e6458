package dev.sluice.cli.checkpoint;

import dev.sluice.checkpoint.CheckpointException;
import dev.sluice.checkpoint.TensorTable;
import dev.sluice.checkpoint.TensorTable.Box;
import dev.sluice.checkpoint.TensorTable.Tensor;
import dev.sluice.cli.ExitCode;
import dev.sluice.cli.Terminal;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;

/** Shows where each tensor of a Hugging Face model lies in Megatron's. */
public record TensorPlaces(Terminal terminal) {
    /**
     * Shows it.
     *
     * @param model directory of the model, or its config.json
     * @return 0, or 2 if no table can be made of the model
     */
    public int run(Path model) {
        try {
            TensorTable table = TensorTable.of(model.endsWith("config.json") ? model.resolveSibling("") : model);
            if (terminal.json()) {
                terminal.result(new String(table.json(), StandardCharsets.UTF_8));
            } else {
                table.tensors().forEach(this::show);
                table.copies().forEach((copy, original) -> terminal.result(copy + "  as " + original));
            }
            return ExitCode.OK;
        } catch (CheckpointException e) {
            terminal.error(e.getMessage());
            return ExitCode.USAGE;
        }
    }

    private void show(Tensor tensor) {
        terminal.result("%s  %s%s".formatted(tensor.name(), tensor.shape(), tensor.float32() ? "  float32" : ""));
        for (Box box : tensor.boxes()) {
            String part = box.sizes().equals(tensor.shape()) ? "" : "  here " + range(box.offsets(), box.sizes());
            terminal.result("    %s %s%s".formatted(box.key(), range(box.keyOffsets(), box.keySizes()), part));
        }
    }

    /** As numpy slices a tensor: {@code [0:16, 4:8]}. */
    private static String range(List<Long> offsets, List<Long> sizes) {
        StringBuilder range = new StringBuilder("[");
        for (int axis = 0; axis < offsets.size(); axis++) {
            range.append(axis == 0 ? "" : ", ")
                    .append(offsets.get(axis))
                    .append(':')
                    .append(offsets.get(axis) + sizes.get(axis));
        }
        return range.append(']').toString();
    }
}
