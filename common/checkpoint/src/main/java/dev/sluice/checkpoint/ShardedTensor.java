package dev.sluice.checkpoint;

import java.util.List;

/** A global tensor as {@code .metadata} describes it: a shape and the chunks that tile it. */
record ShardedTensor(String key, DType dtype, List<Long> shape, List<TensorChunk> chunks) {
    /** Pairs of chunks are compared with each other, so their number is bounded. */
    private static final int MAX_CHUNKS = 16_384;

    ShardedTensor {
        shape = List.copyOf(shape);
        chunks = List.copyOf(chunks);
    }

    /**
     * Checks that the chunks tile the tensor.
     *
     * @throws CheckpointException if they leave the tensor, overlap or leave a hole; flattened optimizer states do
     */
    void checkTiling() {
        if (chunks.size() > MAX_CHUNKS) {
            throw new CheckpointException(
                    "%s has %d chunks; at most %d are read".formatted(key, chunks.size(), MAX_CHUNKS));
        }
        long covered = 0;
        for (int i = 0; i < chunks.size(); i++) {
            TensorChunk chunk = chunks.get(i);
            if (!chunk.within(shape)) {
                throw new CheckpointException("%s: the chunk at %s of shape %s leaves the tensor of shape %s"
                        .formatted(key, chunk.offsets(), chunk.sizes(), shape));
            }
            for (int j = 0; j < i; j++) {
                if (!Block.of(chunk).intersect(Block.of(chunks.get(j))).isEmpty()) {
                    throw new CheckpointException("%s: the chunks at %s and %s overlap"
                            .formatted(key, chunks.get(j).offsets(), chunk.offsets()));
                }
            }
            covered += Shape.elements(chunk.sizes());
        }
        if (covered != Shape.elements(shape)) {
            throw new CheckpointException("%s: its chunks hold %d of %d elements; a rank's file is missing"
                    .formatted(key, covered, Shape.elements(shape)));
        }
    }
}
