package dev.sluice.cli.plan;

import java.util.List;
import java.util.function.IntFunction;
import java.util.function.IntUnaryOperator;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * One coordinate of every GPU of a pool.
 *
 * @param group what the coordinate divides, such as {@code experts}
 * @param dimension its usual short name, such as {@code EP}; empty where the group says all
 * @param values by GPU, {@link #NONE} where a GPU has no part in it
 * @param words a value in words, for where there is room
 */
record GridRow(String group, String dimension, List<Integer> values, IntFunction<String> words) {
    static final int NONE = -1;

    static GridRow of(String group, String dimension, int gpus, IntUnaryOperator coordinate) {
        return of(group, dimension, gpus, coordinate, Integer::toString);
    }

    static GridRow of(
            String group, String dimension, int gpus, IntUnaryOperator coordinate, IntFunction<String> words) {
        return new GridRow(
                group,
                dimension,
                IntStream.range(0, gpus).map(coordinate).boxed().toList(),
                words);
    }

    String label() {
        return (group + " " + dimension).strip();
    }

    /** The values over GPUs from {@code first} to before {@code end}, such as {@code 8-15}. */
    String range(int first, int end) {
        List<Integer> here = values.subList(first, end).stream()
                .filter(value -> value != NONE)
                .distinct()
                .sorted()
                .toList();
        if (here.isEmpty()) {
            return "";
        }
        int span = here.getLast() - here.getFirst();
        return span == here.size() - 1 && span > 0
                ? here.getFirst() + "-" + here.getLast()
                : here.stream().map(String::valueOf).collect(Collectors.joining(","));
    }
}
