package dev.sluice.checkpoint;

import java.util.List;

/**
 * A block of a global tensor and where it is stored.
 *
 * @param offsets position of the block's first element in the global tensor
 * @param sizes the block's shape
 */
record TensorChunk(List<Long> offsets, List<Long> sizes, StoredItem stored) {
    TensorChunk {
        offsets = List.copyOf(offsets);
        sizes = List.copyOf(sizes);
    }

    boolean within(List<Long> shape) {
        boolean inside = offsets.size() == shape.size() && sizes.size() == shape.size();
        for (int axis = 0; inside && axis < shape.size(); axis++) {
            inside = offsets.get(axis) <= shape.get(axis) - sizes.get(axis);
        }
        return inside;
    }
}
