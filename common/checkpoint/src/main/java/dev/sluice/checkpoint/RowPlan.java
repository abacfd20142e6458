package dev.sluice.checkpoint;

import dev.sluice.checkpoint.MegatronTensor.Cut;
import dev.sluice.checkpoint.MegatronTensor.Part;
import dev.sluice.checkpoint.ModelFamily.Row;
import java.util.ArrayList;
import java.util.List;

/** Turns one row of a name map into the tensor of one layer. */
record RowPlan(ModelConfig config, Row row, String key, String name) {
    /** Far more than any model has; each becomes an object of the plan. */
    private static final long MAX_HEADS = 1024;

    MegatronTensor tensor() {
        List<Long> shape = row.shape().stream().map(config::dimension).toList();
        return switch (row.layout()) {
            case ROWS -> rows(shape);
            case EXPERTS -> experts(shape);
            case QUERY_GROUPS -> queryGroups(shape);
            case SWAPPED_HALVES -> swappedHalves(shape);
        };
    }

    private MegatronTensor rows(List<Long> shape) {
        long rows = row.paddedRows() ? padded(shape.getFirst()) : shape.getFirst();
        List<Part> parts = new ArrayList<>();
        for (int i = 0; i < row.from().size(); i++) {
            Cut cut = Cut.whole(name + row.from().get(i), shape);
            parts.add(new Part(with(Shape.origin(shape.size()), 0, i * rows), with(shape, 0, rows), List.of(cut)));
        }
        return tensor(with(shape, 0, parts.size() * rows), parts);
    }

    private MegatronTensor experts(List<Long> shape) {
        List<Long> sizes = new ArrayList<>(shape);
        sizes.addFirst(1L);
        List<Part> parts = new ArrayList<>();
        for (int expert = 0; expert < config.experts(); expert++) {
            for (int i = 0; i < row.from().size(); i++) {
                List<Long> offsets = with(with(Shape.origin(sizes.size()), 0, expert), 1, i * shape.getFirst());
                String from = row.from().get(i).replace("{expert}", Integer.toString(expert));
                parts.add(new Part(offsets, sizes, List.of(Cut.whole(name + from, shape))));
            }
        }
        return tensor(with(with(sizes, 0, config.experts()), 1, row.from().size() * shape.getFirst()), parts);
    }

    /** One chunk, so that Megatron reads the tensor in one piece; the first tensor holds the queries. */
    private MegatronTensor queryGroups(List<Long> head) {
        long groups = config.number("num_key_value_heads");
        long queries = config.number("num_attention_heads");
        if (queries > MAX_HEADS) {
            throw new CheckpointException(
                    "config.json: num_attention_heads is %d; at most %d are supported".formatted(queries, MAX_HEADS));
        }
        if (groups == 0 || queries % groups != 0) {
            throw new CheckpointException(
                    "config.json: %d num_attention_heads do not divide over %d num_key_value_heads"
                            .formatted(queries, groups));
        }
        List<Cut> cuts = new ArrayList<>();
        for (long group = 0; group < groups; group++) {
            for (int i = 0; i < row.from().size(); i++) {
                long rows = (i == 0 ? queries / groups : 1) * head.getFirst();
                cuts.add(new Cut(
                        name + row.from().get(i),
                        with(head, 0, groups * rows),
                        with(Shape.origin(head.size()), 0, group * rows),
                        with(head, 0, rows)));
            }
        }
        long heads = queries + (row.from().size() - 1) * groups;
        List<Long> sizes = with(head, 0, heads * head.getFirst());
        return tensor(sizes, List.of(new Part(Shape.origin(sizes.size()), sizes, cuts)));
    }

    private MegatronTensor swappedHalves(List<Long> shape) {
        long half = shape.get(1) / 2;
        List<Long> sizes = with(shape, 1, half);
        List<Part> parts = new ArrayList<>();
        for (long column : List.of(0L, half)) {
            Cut cut = new Cut(name + row.from().getFirst(), shape, List.of(0L, half - column), sizes);
            parts.add(new Part(List.of(0L, column), sizes, List.of(cut)));
        }
        return tensor(shape, parts);
    }

    private MegatronTensor tensor(List<Long> shape, List<Part> parts) {
        return new MegatronTensor(key + row.key(), shape, row.float32(), row.paddedRows(), parts);
    }

    private static long padded(long rows) {
        return Math.ceilDiv(rows, ModelPlan.VOCABULARY_MULTIPLE) * ModelPlan.VOCABULARY_MULTIPLE;
    }

    private static List<Long> with(List<Long> numbers, int axis, long number) {
        List<Long> changed = new ArrayList<>(numbers);
        changed.set(axis, number);
        return changed;
    }
}
