package dev.sluice.checkpoint;

import dev.sluice.checkpoint.MegatronTensor.Box;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;

/** Reads boxes of a Hugging Face tensor that Megatron keeps in one or more boxes of its own, as it does queries, keys and values. */
record CutReader(DType dtype, List<Part> parts) implements TensorReader {
    /** One of Megatron's boxes, and what reads inside it. */
    record Part(Box box, ShardedReader reader) {
        private Block cut() {
            return Block.of(box.cut().offsets(), box.cut().sizes());
        }

        /** Megatron stacks what Hugging Face keeps apart: axes in front, of which the box has one row each. */
        private ByteBuffer read(Block wanted) {
            List<Long> offsets = new ArrayList<>(box.offsets());
            List<Long> sizes = new ArrayList<>(box.sizes());
            int front = offsets.size() - wanted.low().length;
            for (int axis = 0; axis < wanted.low().length; axis++) {
                long first = wanted.low()[axis] - box.cut().offsets().get(axis);
                offsets.set(front + axis, offsets.get(front + axis) + first);
                sizes.set(front + axis, wanted.high()[axis] - wanted.low()[axis]);
            }
            return reader.read(offsets, sizes);
        }
    }

    @Override
    public ByteBuffer read(Window window) {
        return read(window.offsets(), window.sizes());
    }

    /** The box's elements: a view where they lie together, else assembled. */
    ByteBuffer read(List<Long> offsets, List<Long> sizes) {
        Block wanted = Block.of(offsets, sizes);
        if (parts.size() == 1) {
            return parts.getFirst().read(wanted);
        }
        ByteBuffer assembled = ByteBuffer.allocate(Math.toIntExact(Shape.bytes(dtype, sizes)));
        for (Part part : parts) {
            Block shared = part.cut().intersect(wanted);
            if (shared.sameAs(wanted)) {
                return part.read(wanted);
            }
            if (!shared.isEmpty()) {
                shared.copy(ByteRange.of(part.read(shared)), shared, assembled, wanted, dtype.bytes());
            }
        }
        return assembled.asReadOnlyBuffer().order(ByteOrder.LITTLE_ENDIAN);
    }
}
