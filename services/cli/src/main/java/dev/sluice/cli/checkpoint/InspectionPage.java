package dev.sluice.cli.checkpoint;

import dev.sluice.checkpoint.CheckpointView;
import dev.sluice.checkpoint.TensorEntry;
import dev.sluice.cli.TextTable;
import dev.sluice.cli.Wrapped;
import dev.sluice.cli.checkpoint.Inspection.Detail;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * A checkpoint's content for people.
 *
 * @param columns of the terminal; the lines of tensors may be longer
 */
record InspectionPage(CheckpointView view, Detail detail, int columns) {
    private static final int FILES_SHOWN = 6;
    private static final int FEW_ARGUMENTS = 5;
    private static final int MIN_COLUMNS = 60;
    private static final int MAX_COLUMNS = 100;

    /** The arguments that say which model and how it was trained; the others are many. */
    private static final List<String> TELLING = List.of(
            "hf_checkpoint",
            "model_name",
            "num_layers",
            "hidden_size",
            "num_attention_heads",
            "num_experts",
            "mtp_num_layers",
            "padded_vocab_size",
            "tensor_model_parallel_size",
            "pipeline_model_parallel_size",
            "expert_model_parallel_size",
            "world_size",
            "bf16",
            "seq_length",
            "consumed_train_samples");

    List<String> lines() {
        List<String> lines = new ArrayList<>();
        lines.add(clean(view.path().toString()));
        entry(lines, "format", view.format().title() + model());
        view.iteration().ifPresent(iteration -> entry(lines, "iteration", iteration));
        entry(lines, "tensors", totals(view.tensors().values()));
        if (!view.states().isEmpty()) {
            entry(lines, "states", totals(view.states().values()) + "; of the optimizer, not of the model");
        }
        if (!view.items().isEmpty()) {
            entry(
                    lines,
                    "items",
                    "%,d without tensors, such as extra states"
                            .formatted(view.items().size()));
        }
        entry(lines, "files", files());
        if (!view.arguments().isEmpty()) {
            entry(lines, "arguments", arguments());
        }
        view.notes().forEach(note -> entry(lines, "note", note));
        lines.add("");
        lines.addAll(detail == Detail.ALL ? everything() : tree(view.tensors().values()));
        return lines;
    }

    private void entry(List<String> lines, String label, String text) {
        lines.addAll(Wrapped.after("  %-11s".formatted(label), text, Math.clamp(columns, MIN_COLUMNS, MAX_COLUMNS)));
    }

    private String model() {
        return view.config()
                .map(config -> Stream.of(
                                config.path("model_type").asText(),
                                config.path("dtype")
                                        .asText(config.path("torch_dtype").asText()))
                        .filter(text -> !text.isEmpty())
                        .map(text -> ", " + clean(text))
                        .collect(Collectors.joining()))
                .orElse("");
    }

    private static String totals(Collection<TensorEntry> tensors) {
        Totals all = Totals.of(tensors);
        String types = Totals.byType(tensors).entrySet().stream()
                .map(type -> "%,d %s (%s)"
                        .formatted(
                                type.getValue().tensors(),
                                type.getKey(),
                                ByteFigures.bytes(type.getValue().bytes())))
                .collect(Collectors.joining(", "));
        return "%,d: %s; %,d elements, %s in all"
                .formatted(all.tensors(), types, all.elements(), ByteFigures.bytes(all.bytes()));
    }

    private String files() {
        Map<String, Long> files = view.files();
        long bytes = files.values().stream().mapToLong(Long::longValue).sum();
        int shown = detail == Detail.ALL ? files.size() : FILES_SHOWN;
        String names = files.entrySet().stream()
                .limit(shown)
                .map(file -> clean(file.getKey()) + " " + ByteFigures.bytes(file.getValue()))
                .collect(Collectors.joining(", "));
        return "%,d, %s: %s%s"
                .formatted(files.size(), ByteFigures.bytes(bytes), names, files.size() > shown ? ", ..." : "");
    }

    private String arguments() {
        Map<String, ?> arguments = view.arguments();
        List<String> names = detail == Detail.ALL
                ? List.copyOf(arguments.keySet())
                : Stream.concat(TELLING.stream(), arguments.keySet().stream().limit(FEW_ARGUMENTS))
                        .filter(arguments::containsKey)
                        .distinct()
                        .toList();
        String values = names.stream()
                .map(name -> clean(name + "=" + arguments.get(name)))
                .collect(Collectors.joining(", "));
        int more = arguments.size() - names.size();
        String rest = more == 0 ? "" : (values.isEmpty() ? "" : "; ") + "%,d more with --all".formatted(more);
        return values + rest;
    }

    private List<String> tree(Collection<TensorEntry> tensors) {
        TextTable table = new TextTable("tensor", "type", "shape", "count", "bytes");
        for (TensorTree.Line line : TensorTree.of(tensors).lines(detail == Detail.FOLDED)) {
            TensorEntry tensor = line.tensor();
            String label = "  ".repeat(line.depth()) + clean(line.label());
            String count = line.count() == 1 ? "" : String.format(Locale.ROOT, "%,d", line.count());
            String bytes = ByteFigures.bytes(line.bytes());
            table.row(label, tensor == null ? "" : tensor.dtype(), tensor == null ? "" : tensor.shape(), count, bytes);
        }
        return table.toString().lines().toList();
    }

    private List<String> everything() {
        TextTable table = new TextTable("tensor", "type", "shape", "bytes");
        Stream.concat(view.tensors().values().stream(), view.states().values().stream())
                .forEach(tensor -> table.row(
                        clean(tensor.name()), tensor.dtype(), tensor.shape(), ByteFigures.bytes(tensor.bytes())));
        view.items().forEach(item -> table.row(clean(item), "item", "", ""));
        return table.toString().lines().toList();
    }

    /** Names come from files, and control characters would move the cursor. */
    private static String clean(String text) {
        return text.replaceAll("\\p{Cntrl}", "?");
    }
}
