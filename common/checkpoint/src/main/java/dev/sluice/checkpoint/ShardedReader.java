package dev.sluice.checkpoint;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Reads boxes of a tensor that ranks saved in chunks; a chunk is opened, and its checksum verified, when the first box of it is asked for. */
final class ShardedReader {
    private final TorchDistCheckpoint checkpoint;
    private final ShardedTensor tensor;
    private final Map<TensorChunk, Block> blocks = new HashMap<>();
    private final Map<TensorChunk, ByteBuffer> opened = new HashMap<>();

    ShardedReader(TorchDistCheckpoint checkpoint, ShardedTensor tensor) {
        tensor.checkTiling();
        this.checkpoint = checkpoint;
        this.tensor = tensor;
        tensor.chunks().forEach(chunk -> blocks.put(chunk, Block.of(chunk)));
    }

    ByteBuffer read(List<Long> offsets, List<Long> sizes) {
        int width = tensor.dtype().bytes();
        Block wanted = Block.of(offsets, sizes);
        ByteBuffer assembled = ByteBuffer.allocate(Math.toIntExact(Shape.bytes(tensor.dtype(), sizes)));
        blocks.forEach((chunk, block) -> {
            Block shared = block.intersect(wanted);
            if (!shared.isEmpty()) {
                ByteBuffer stored = opened.computeIfAbsent(chunk, absent -> checkpoint.chunk(tensor, absent));
                shared.copy(stored, block, assembled, wanted, width);
            }
        });
        return assembled.asReadOnlyBuffer().order(ByteOrder.LITTLE_ENDIAN);
    }
}
