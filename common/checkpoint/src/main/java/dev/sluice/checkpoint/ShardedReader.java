package dev.sluice.checkpoint;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Reads boxes of a tensor that ranks saved in chunks, of which those may count that a larger box touches; a chunk is opened, and its checksum verified, when the first box of it is asked for. */
final class ShardedReader {
    private final TorchDistCheckpoint checkpoint;
    private final ShardedTensor tensor;
    private final Map<TensorChunk, Block> blocks = new HashMap<>();
    private final Map<TensorChunk, ByteRange> opened = new HashMap<>();

    ShardedReader(TorchDistCheckpoint checkpoint, ShardedTensor tensor, Block within) {
        this.checkpoint = checkpoint;
        this.tensor = tensor;
        for (TensorChunk chunk : tensor.chunks()) {
            Block block = Block.of(chunk);
            if (!block.intersect(within).isEmpty()) {
                blocks.put(chunk, block);
            }
        }
    }

    /** The box's elements: a view of the chunk where they lie together in one, else assembled. */
    ByteBuffer read(List<Long> offsets, List<Long> sizes) {
        int width = tensor.dtype().bytes();
        Block wanted = Block.of(offsets, sizes);
        long bytes = Shape.bytes(tensor.dtype(), sizes);
        if (bytes > Integer.MAX_VALUE - 8) {
            throw new CheckpointException(
                    "%s: a box of %d bytes exceeds 2 GiB; read it in parts".formatted(tensor.key(), bytes));
        }
        for (Map.Entry<TensorChunk, Block> chunk : blocks.entrySet()) {
            if (together(wanted, chunk.getValue())) {
                return stored(chunk.getKey()).slice(chunk.getValue().index(wanted.low()) * width, bytes);
            }
        }
        ByteBuffer assembled = ByteBuffer.allocate((int) bytes);
        blocks.forEach((chunk, block) -> {
            Block shared = block.intersect(wanted);
            if (!shared.isEmpty()) {
                shared.copy(stored(chunk), block, assembled, wanted, width);
            }
        });
        return assembled.asReadOnlyBuffer().order(ByteOrder.LITTLE_ENDIAN);
    }

    private ByteRange stored(TensorChunk chunk) {
        return opened.computeIfAbsent(chunk, absent -> checkpoint.chunk(tensor, absent));
    }

    /** Whether the box lies inside the block and its elements follow each other there: whole rows behind the first axis of several. */
    private static boolean together(Block box, Block block) {
        boolean several = false;
        for (int axis = 0; axis < box.low().length; axis++) {
            boolean inside = box.low()[axis] >= block.low()[axis] && box.high()[axis] <= block.high()[axis];
            boolean whole = box.low()[axis] == block.low()[axis] && box.high()[axis] == block.high()[axis];
            if (!inside || several && !whole) {
                return false;
            }
            several |= box.high()[axis] - box.low()[axis] > 1;
        }
        return true;
    }
}
