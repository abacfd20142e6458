package dev.sluice.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ShardedReaderTest {
    @TempDir
    Path folder;

    /** Element i of the tensor is the number i, whatever grid it is stored in. */
    @Test
    void readsAnyBoxOfAnyChunkGrid() throws Exception {
        long seed = 4711;
        Random random = new Random(seed);
        for (int round = 0; round < 20; round++) {
            List<Long> shape = List.of(random.nextLong(1, 7), random.nextLong(1, 7), random.nextLong(1, 7));
            Path directory = folder.resolve("round" + round);
            stored(directory, shape, random);
            try (TorchDistCheckpoint checkpoint = TorchDistCheckpoint.open(directory)) {
                ShardedReader reader = checkpoint.reader("w");
                for (int box = 0; box < 50; box++) {
                    List<Long> offsets = new ArrayList<>();
                    List<Long> sizes = new ArrayList<>();
                    for (long axis : shape) {
                        offsets.add(random.nextLong(axis));
                        sizes.add(random.nextLong(1, axis - offsets.getLast() + 1));
                    }
                    assertThat(reader.read(offsets, sizes))
                            .as("seed %d, shape %s, box at %s of %s", seed, shape, offsets, sizes)
                            .isEqualTo(numbers(shape, offsets, sizes));
                }
            }
        }
    }

    /** Writes the tensor in a grid whose cuts are drawn along each axis. */
    private static void stored(Path directory, List<Long> shape, Random random) throws Exception {
        Files.createDirectory(directory);
        Files.writeString(directory.resolve("metadata.json"), "{\"sharded_backend\": \"torch_dist\"}");
        List<Long> cuts =
                shape.stream().map(axis -> random.nextLong(1, axis + 1)).toList();
        List<TensorChunk> chunks = new ArrayList<>();
        DistributedItems items = new DistributedItems("");
        for (long i = 0; i < shape.get(0); i += cuts.get(0)) {
            for (long j = 0; j < shape.get(1); j += cuts.get(1)) {
                for (long k = 0; k < shape.get(2); k += cuts.get(2)) {
                    List<Long> offsets = List.of(i, j, k);
                    List<Long> sizes = new ArrayList<>();
                    for (int axis = 0; axis < 3; axis++) {
                        sizes.add(Math.min(cuts.get(axis), shape.get(axis) - offsets.get(axis)));
                    }
                    TensorSource source = TensorSource.of("w", DType.I32, sizes, numbers(shape, offsets, sizes));
                    MegatronTensor.Part part =
                            new MegatronTensor.Part(offsets, sizes, List.of(MegatronTensor.Cut.whole("w", sizes)));
                    chunks.add(items.chunk("w", source, part, 0));
                }
            }
        }
        items.tensor(new ShardedTensor("w", DType.I32, shape, chunks));
        for (OutputFile file : items.files()) {
            try (FileChannel out = FileChannel.open(
                    directory.resolve(file.path()), StandardOpenOption.CREATE, StandardOpenOption.WRITE)) {
                for (Piece piece : file.pieces()) {
                    piece.content().writeTo(out);
                }
            }
        }
        Files.write(directory.resolve(".metadata"), items.metadata());
    }

    private static ByteBuffer numbers(List<Long> shape, List<Long> offsets, List<Long> sizes) {
        ByteBuffer numbers =
                ByteBuffer.allocate((int) Shape.bytes(DType.I32, sizes)).order(ByteOrder.LITTLE_ENDIAN);
        for (long i = 0; i < sizes.get(0); i++) {
            for (long j = 0; j < sizes.get(1); j++) {
                for (long k = 0; k < sizes.get(2); k++) {
                    long row = (offsets.get(0) + i) * shape.get(1) + offsets.get(1) + j;
                    numbers.putInt((int) (row * shape.get(2) + offsets.get(2) + k));
                }
            }
        }
        return numbers.flip();
    }
}
