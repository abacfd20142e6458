package dev.sluice.checkpoint;

import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.stream.LongStream;

/**
 * A run of neighbouring elements of a tensor that is also a box of it, so that either format can fetch it alone.
 *
 * @param first row-major position of its first element
 * @param elements how many there are
 * @param offsets of its first element, one number an axis
 * @param sizes its shape
 */
public record Window(long first, int elements, List<Long> offsets, List<Long> sizes) {
    public Window {
        offsets = List.copyOf(offsets);
        sizes = List.copyOf(sizes);
    }

    /**
     * The windows of a tensor, in the order of its elements and each element once; depends on the shape alone, so that two copies of a tensor can be
     * read in step.
     *
     * @param maxElements a window has at most so many
     */
    public static Iterable<Window> of(List<Long> shape, int maxElements) {
        if (maxElements < 1) {
            throw new IllegalArgumentException("windows of " + maxElements + " elements");
        }
        return new Cut(List.copyOf(shape), maxElements);
    }

    /** How to cut: one index along each axis before {@code axis}, some rows along it, everything behind it. */
    private static final class Cut implements Iterable<Window> {
        private final List<Long> shape;
        private final int axis;
        private final long inner;
        private final long rows;
        private final long windowsOfAxis;
        private final long count;

        Cut(List<Long> shape, int maxElements) {
            this.shape = shape;
            long elements = Shape.elements(shape);
            int cutAxis = 0;
            long behind = shape.isEmpty() || elements == 0 ? 1 : elements / shape.getFirst();
            while (behind > maxElements) {
                behind /= shape.get(++cutAxis);
            }
            axis = cutAxis;
            inner = behind;
            long length = shape.isEmpty() ? 1 : shape.get(axis);
            rows = Math.max(1, Math.min(maxElements / inner, length));
            windowsOfAxis = Math.ceilDiv(length, rows);
            count = elements == 0 ? 0 : elements / inner / length * windowsOfAxis;
        }

        @Override
        public Iterator<Window> iterator() {
            return LongStream.range(0, count).mapToObj(this::window).iterator();
        }

        private Window window(long index) {
            if (shape.isEmpty()) {
                return new Window(0, 1, List.of(), List.of());
            }
            long row = index % windowsOfAxis * rows;
            long size = Math.min(rows, shape.get(axis) - row);
            long outer = index / windowsOfAxis;
            long first = (outer * shape.get(axis) + row) * inner;
            List<Long> offsets = new ArrayList<>();
            List<Long> sizes = new ArrayList<>();
            for (int i = axis + 1; i < shape.size(); i++) {
                offsets.add(0L);
                sizes.add(shape.get(i));
            }
            offsets.addFirst(row);
            sizes.addFirst(size);
            for (int i = axis - 1; i >= 0; i--) {
                offsets.addFirst(outer % shape.get(i));
                sizes.addFirst(1L);
                outer /= shape.get(i);
            }
            return new Window(first, Math.toIntExact(size * inner), offsets, sizes);
        }
    }
}
