package dev.sluice.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sluice.checkpoint.MegatronTensor.Part;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.WritableByteChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Boxes that are no chunks: the layers of alike ones share chunks. */
class TorchDistBoxesTest {
    private static final String KEY = "decoder.layers.mlp.linear_fc2.weight";

    @TempDir
    Path folder;

    private final DistributedItems items = new DistributedItems("");

    @Test
    void writesALayerLargerThanABandOutOfChunksOfAllLayers() throws IOException {
        // Given two ranks, each with its half of the rows of both layers
        long seed = System.nanoTime();
        System.out.println("seed " + seed);
        byte[] halves = new byte[2 * 2 * 3000 * 1024 * 2];
        new Random(seed).nextBytes(halves);
        int half = halves.length / 2;
        List<Long> sizes = List.of(2L, 3000L, 1024L);
        TensorChunk upper = chunk(List.of(0L, 0L, 0L), sizes, ByteBuffer.wrap(halves, 0, half));
        TensorChunk lower = chunk(List.of(0L, 3000L, 0L), sizes, ByteBuffer.wrap(halves, half, half));
        items.tensor(new ShardedTensor(KEY, DType.BF16, List.of(2L, 6000L, 1024L), List.of(upper, lower)));
        write();

        // When
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (TorchDistCheckpoint checkpoint = TorchDistCheckpoint.open(folder);
                WritableByteChannel out = Channels.newChannel(bytes)) {
            checkpoint.write(KEY, List.of(1L, 0L, 0L), List.of(1L, 6000L, 1024L), out);
        }

        // Then each rank's second layer
        ByteBuffer expected = ByteBuffer.allocate(half);
        expected.put(halves, half / 2, half / 2).put(halves, half + half / 2, half / 2);
        assertThat(bytes.toByteArray()).isEqualTo(expected.array());
    }

    @Test
    void verifiesBytesForEachTensorThatClaimsThem() throws IOException {
        // Given
        TensorChunk chunk = chunk(List.of(0L, 0L), List.of(2L, 4L), ByteBuffer.allocate(16));
        TensorChunk other = new TensorChunk(List.of(0L, 0L), List.of(4L, 4L), chunk.stored());
        items.tensor(new ShardedTensor("honest", DType.BF16, List.of(2L, 4L), List.of(chunk)));
        items.tensor(new ShardedTensor("larger", DType.BF16, List.of(4L, 4L), List.of(other)));
        write();

        try (TorchDistCheckpoint checkpoint = TorchDistCheckpoint.open(folder)) {
            checkpoint.read("honest");

            // When / Then
            assertThatThrownBy(() -> checkpoint.read("larger"))
                    .isInstanceOf(CheckpointException.class)
                    .hasMessageContaining("is BF16 [2, 4], but .metadata says BF16 [4, 4]");
        }
    }

    private TensorChunk chunk(List<Long> offsets, List<Long> sizes, ByteBuffer data) throws IOException {
        TensorSource source = TensorSource.of(KEY, DType.BF16, sizes, data.slice());
        return items.chunk(KEY, source, new Part(offsets, sizes, List.of()), 0);
    }

    private void write() {
        byte[] format = "{\"sharded_backend\": \"torch_dist\"}".getBytes(StandardCharsets.UTF_8);
        OutputLayout layout = new OutputLayout(
                items.files(),
                List.of(
                        SmallFile.of(TorchDistDirectory.METADATA, items.metadata()),
                        SmallFile.of(TorchDistDirectory.FORMAT, format)));
        LayoutWriter.write(folder, layout, null, WriteSettings.SINGLE, Progress.NONE);
    }
}
