package dev.sluice.checkpoint;

import java.util.ArrayList;
import java.util.List;

/**
 * A Megatron tensor and the boxes of Hugging Face tensors it consists of, byte for byte.
 *
 * @param float32 float32 whatever the model's type is
 * @param paddedRows rows of a vocabulary, of which whoever saved the tensor may have added some
 * @param parts the chunks it is written in
 */
record MegatronTensor(String key, List<Long> shape, boolean float32, boolean paddedRows, List<Part> parts) {
    MegatronTensor {
        shape = List.copyOf(shape);
        parts = List.copyOf(parts);
    }

    /** The boxes of all parts, in order. */
    List<Box> boxes() {
        return parts.stream().flatMap(part -> part.boxes().stream()).toList();
    }

    /**
     * Makes one tensor of those that alike layers have under one key: their index becomes the first axis.
     *
     * @param layers one tensor a layer, of one shape
     */
    static MegatronTensor stack(List<MegatronTensor> layers) {
        MegatronTensor first = layers.getFirst();
        List<Part> parts = new ArrayList<>();
        for (int layer = 0; layer < layers.size(); layer++) {
            for (Part part : layers.get(layer).parts) {
                parts.add(new Part(before(layer, part.offsets), before(1, part.sizes), part.cuts));
            }
        }
        return new MegatronTensor(
                first.key, before(layers.size(), first.shape), first.float32, first.paddedRows, parts);
    }

    /**
     * One chunk.
     *
     * @param sizes the chunk's shape: with leading ones for a layer or an expert, with the padded rows of a vocabulary
     * @param cuts what it holds, one below another
     */
    record Part(List<Long> offsets, List<Long> sizes, List<Cut> cuts) {
        Part {
            offsets = List.copyOf(offsets);
            sizes = List.copyOf(sizes);
            cuts = List.copyOf(cuts);
        }

        /** Where each cut lies in the Megatron tensor; padded rows belong to none. */
        List<Box> boxes() {
            List<Box> boxes = new ArrayList<>();
            long row = 0;
            for (Cut cut : cuts) {
                int rowAxis = sizes.size() - cut.sizes.size();
                List<Long> at = new ArrayList<>(offsets);
                at.set(rowAxis, at.get(rowAxis) + row);
                List<Long> extent = new ArrayList<>(sizes.subList(0, rowAxis));
                extent.addAll(cut.sizes);
                boxes.add(new Box(at, extent, cut));
                row += cut.sizes.getFirst();
            }
            return boxes;
        }
    }

    /**
     * A box cut out of a Hugging Face tensor.
     *
     * @param name the Hugging Face tensor
     * @param shape the Hugging Face tensor's shape
     * @param offsets the box's first element in the Hugging Face tensor
     * @param sizes the box's shape
     */
    record Cut(String name, List<Long> shape, List<Long> offsets, List<Long> sizes) {
        Cut {
            shape = List.copyOf(shape);
            offsets = List.copyOf(offsets);
            sizes = List.copyOf(sizes);
        }

        static Cut whole(String name, List<Long> shape) {
            return new Cut(name, shape, Shape.origin(shape.size()), shape);
        }

        boolean isWhole() {
            return sizes.equals(shape);
        }

        /** Whether its rows have the whole width, so that its bytes lie together. */
        boolean isContiguous() {
            return sizes.subList(1, sizes.size()).equals(shape.subList(1, shape.size()));
        }
    }

    /**
     * A cut and its place.
     *
     * @param offsets the cut's first element in the Megatron tensor
     * @param sizes its shape there, with leading ones
     */
    record Box(List<Long> offsets, List<Long> sizes, Cut cut) {
        Box {
            offsets = List.copyOf(offsets);
            sizes = List.copyOf(sizes);
        }
    }

    private static List<Long> before(long first, List<Long> rest) {
        List<Long> all = new ArrayList<>(rest);
        all.addFirst(first);
        return all;
    }
}
