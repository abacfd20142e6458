package dev.sluice.cli.checkpoint;

import dev.sluice.checkpoint.TensorEntry;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** Tensors as a tree along the dots of their names, in which numbered branches that look alike are one: {@code layers.{1..46}}. */
final class TensorTree {
    /** Names come from files; no model nests deeper. */
    private static final int MAX_DEPTH = 32;

    private static final Comparator<String> NATURAL = Comparator.<String>comparingInt(
                    segment -> isNumber(segment) ? Integer.parseInt(segment) : Integer.MAX_VALUE)
            .thenComparing(Comparator.naturalOrder());

    private final Map<String, TensorTree> branches = new TreeMap<>(NATURAL);
    private @Nullable TensorEntry tensor;

    private TensorTree() {}

    /**
     * A line of the drawn tree.
     *
     * @param tensor one of those that the line stands for; null for a branch
     * @param count how many tensors it stands for
     * @param bytes of all of them
     */
    record Line(int depth, String label, @Nullable TensorEntry tensor, long count, long bytes) {}

    static TensorTree of(Collection<TensorEntry> tensors) {
        TensorTree root = new TensorTree();
        for (TensorEntry tensor : tensors) {
            TensorTree at = root;
            for (String segment : tensor.name().split("\\.", MAX_DEPTH)) {
                at = at.branches.computeIfAbsent(segment, absent -> new TensorTree());
            }
            at.tensor = tensor;
        }
        return root;
    }

    /** @param fold whether branches that look alike are one */
    List<Line> lines(boolean fold) {
        List<Line> lines = new ArrayList<>();
        branchLines(lines, 0, 1, fold);
        return lines;
    }

    private void branchLines(List<Line> lines, int depth, long times, boolean fold) {
        for (Group group : groups(fold)) {
            String label = group.label();
            TensorTree branch = group.example;
            long count = times * group.segments.size();
            // A chain without forks is one line.
            while (branch.tensor == null && branch.groups(fold).size() == 1) {
                Group only = branch.groups(fold).getFirst();
                label += "." + only.label();
                count *= only.segments.size();
                branch = only.example;
            }
            TensorEntry leaf = branch.tensor;
            long bytes = leaf == null ? branch.bytes() : leaf.bytes();
            lines.add(new Line(depth, label, leaf, leaf == null ? count * branch.tensors() : count, count * bytes));
            branch.branchLines(lines, depth + 1, count, fold);
        }
    }

    private record Group(List<String> segments, TensorTree example) {
        String label() {
            return segments.size() == 1 ? segments.getFirst() : "{" + Ranges.of(segments) + "}";
        }
    }

    private List<Group> groups(boolean fold) {
        Map<String, Group> groups = new LinkedHashMap<>();
        branches.forEach((segment, branch) -> {
            String kind = fold && isNumber(segment) ? branch.shape() : "." + segment;
            groups.computeIfAbsent(kind, absent -> new Group(new ArrayList<>(), branch))
                    .segments
                    .add(segment);
        });
        return List.copyOf(groups.values());
    }

    /** The same text for two branches whose tensors have the same names, types and shapes. */
    private String shape() {
        StringBuilder shape = new StringBuilder();
        if (tensor != null) {
            shape.append(tensor.dtype()).append(tensor.shape());
        }
        branches.forEach((segment, branch) ->
                shape.append('(').append(segment).append(branch.shape()).append(')'));
        return shape.toString();
    }

    private long bytes() {
        return (tensor == null ? 0 : tensor.bytes())
                + branches.values().stream().mapToLong(TensorTree::bytes).sum();
    }

    private long tensors() {
        return (tensor == null ? 0 : 1)
                + branches.values().stream().mapToLong(TensorTree::tensors).sum();
    }

    private static boolean isNumber(String segment) {
        return segment.matches("\\d{1,9}");
    }
}
