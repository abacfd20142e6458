package dev.sluice.checkpoint;

import java.util.List;

/**
 * A Megatron tensor and the Hugging Face tensors it consists of, each one byte for byte a box of it.
 *
 * @param float32 float32 whatever the model's type is
 * @param paddedRows rows of a vocabulary, of which whoever saved the tensor may have added some
 */
record MegatronTensor(String key, List<Long> shape, boolean float32, boolean paddedRows, List<Part> parts) {
    MegatronTensor {
        shape = List.copyOf(shape);
        parts = List.copyOf(parts);
    }

    /**
     * One box.
     *
     * @param sizes the box's shape in Megatron: with a leading 1 for an expert, with the padded rows of a vocabulary
     * @param name the Hugging Face tensor
     * @param shape the Hugging Face tensor's shape
     */
    record Part(List<Long> offsets, List<Long> sizes, String name, List<Long> shape) {
        Part {
            offsets = List.copyOf(offsets);
            sizes = List.copyOf(sizes);
            shape = List.copyOf(shape);
        }

        /** The box without padded rows. */
        List<Long> unpadded() {
            return sizes.size() == shape.size() ? shape : sizes;
        }
    }
}
