package dev.sluice.cpu.engine;

import java.util.Arrays;

/** Ints that grow. */
final class IntList {
    private int[] values = new int[16];
    private int size;

    void add(int value) {
        if (size == values.length) {
            values = Arrays.copyOf(values, 2 * size);
        }
        values[size++] = value;
    }

    int get(int index) {
        return values[index];
    }

    int size() {
        return size;
    }

    boolean isEmpty() {
        return size == 0;
    }

    long[] toLongs() {
        return Arrays.stream(values, 0, size).asLongStream().toArray();
    }
}
