package dev.sluice.cli.checkpoint;

import dev.sluice.checkpoint.DType;
import dev.sluice.checkpoint.TensorEntry;
import java.util.Collection;
import java.util.Map;
import java.util.TreeMap;

/** How many tensors of a type, and how large they are together. */
record Totals(long tensors, long elements, long bytes) {
    static final Totals NONE = new Totals(0, 0, 0);

    static Map<DType, Totals> byType(Collection<TensorEntry> tensors) {
        Map<DType, Totals> totals = new TreeMap<>();
        tensors.forEach(tensor -> totals.merge(tensor.dtype(), of(tensor), Totals::plus));
        return totals;
    }

    static Totals of(Collection<TensorEntry> tensors) {
        return tensors.stream().map(Totals::of).reduce(NONE, Totals::plus);
    }

    private static Totals of(TensorEntry tensor) {
        return new Totals(1, tensor.bytes() / tensor.dtype().bytes(), tensor.bytes());
    }

    private Totals plus(Totals other) {
        return new Totals(tensors + other.tensors, elements + other.elements, bytes + other.bytes);
    }
}
