package dev.sluice.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.channels.WritableByteChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * A tensor of 2.2 GiB, zero but for a few elements, in files with holes. An embedding of 151,936 x 8,192 in bfloat16 has 2.3 GiB. What takes longer, such
 * as converting it, is in the command's {@code LargeTensorRoundTrip}.
 */
class LargeTensorTest {
    private static final long COLUMNS = 1 << 10;
    private static final long ROWS = 1_155_000;
    private static final List<Long> SHAPE = List.of(ROWS, COLUMNS);
    /** Element 2^30 is the first behind 2 GiB; 2^29 the first of the second map. */
    private static final SortedMap<Long, Short> MARKED = new TreeMap<>(Map.of(
            0L,
            (short) 1,
            (1L << 29) - 1,
            (short) 2,
            1L << 29,
            (short) 3,
            (1L << 30) - 1,
            (short) 4,
            1L << 30,
            (short) 5,
            ROWS * COLUMNS - 1,
            (short) 6));

    @TempDir
    private Path folder;

    @Test
    void isReadInWindowsOfASafetensorsFile() throws IOException {
        // Given
        Path file = folder.resolve("model.safetensors");
        TensorEntry tensor = new TensorEntry("w", DType.I16, SHAPE, 0, Shape.bytes(DType.I16, SHAPE));
        byte[] json = SafetensorsHeader.encode(List.of(tensor), Map.of());
        ByteBuffer header = ByteBuffer.allocate(8 + json.length).order(ByteOrder.LITTLE_ENDIAN);
        header.putLong(json.length).put(json).flip();
        try (FileChannel out = FileChannel.open(file, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
            out.write(header);
            out.write(ByteBuffer.wrap(new byte[1]), header.limit() + tensor.bytes() - 1);
            for (Map.Entry<Long, Short> mark : MARKED.entrySet()) {
                out.write(element(mark.getValue()), header.limit() + mark.getKey() * 2);
            }
        }

        // When / Then
        try (CheckpointView view = CheckpointView.open(file)) {
            assertThat(found(view.reader("w"))).isEqualTo(MARKED);
        }
    }

    @Test
    void isReadInWindowsOfOneChunk() throws IOException {
        // Given
        DistributedItems items = new DistributedItems("");
        MegatronTensor.Part part =
                new MegatronTensor.Part(List.of(0L, 0L), SHAPE, List.of(MegatronTensor.Cut.whole("w", SHAPE)));
        TensorChunk chunk = items.chunk("w", new Marked(), part, 0);
        items.tensor(new ShardedTensor("w", DType.I16, SHAPE, List.of(chunk)));
        Files.writeString(folder.resolve("metadata.json"), "{\"sharded_backend\": \"torch_dist\"}");
        for (OutputFile file : items.files()) {
            try (WritableByteChannel out = new HoleChannel(folder.resolve(file.path()))) {
                for (Piece piece : file.pieces()) {
                    piece.content().writeTo(out);
                }
            }
        }
        Files.write(folder.resolve(".metadata"), items.metadata());

        // When / Then
        try (TorchDistCheckpoint checkpoint = TorchDistCheckpoint.open(folder)) {
            ShardedReader reader = checkpoint.reader("w");
            assertThat(found(window -> reader.read(window.offsets(), window.sizes())))
                    .isEqualTo(MARKED);
            // Columns of it are put together; the chunk is wider than any buffer can hold as a whole.
            List<Long> last = List.of(ROWS, 1L);
            assertThat(reader.read(List.of(0L, COLUMNS - 1), last).getShort((int) (2 * ROWS - 2)))
                    .isEqualTo((short) 6);
            assertThat(checkpoint.stored(""))
                    .singleElement()
                    .satisfies(stored -> assertThat(stored.bytes()).isEqualTo(ROWS * COLUMNS * 2));
        }
    }

    /** The marks in those windows that should hold some. */
    private static SortedMap<Long, Short> found(TensorReader reader) {
        SortedMap<Long, Short> found = new TreeMap<>();
        for (Window window : Window.of(SHAPE, 1 << 20)) {
            long end = window.first() + window.elements();
            if (!MARKED.subMap(window.first(), end).isEmpty()) {
                ByteBuffer bytes = reader.read(window);
                for (int i = 0; i < window.elements(); i++) {
                    short value = bytes.getShort(2 * i);
                    if (value != 0) {
                        found.put(window.first() + i, value);
                    }
                }
            }
        }
        return found;
    }

    private static ByteBuffer element(short value) {
        return ByteBuffer.allocate(2)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putShort(value)
                .flip();
    }

    /** The tensor, zeros in large pieces. */
    private record Marked() implements TensorSource {
        @Override
        public String name() {
            return "w";
        }

        @Override
        public DType dtype() {
            return DType.I16;
        }

        @Override
        public List<Long> shape() {
            return SHAPE;
        }

        @Override
        public void writeTo(WritableByteChannel out) throws IOException {
            ByteBuffer zeros = ByteBuffer.allocateDirect(1 << 20);
            long position = 0;
            for (Map.Entry<Long, Short> mark : MARKED.entrySet()) {
                while (position < mark.getKey() * 2) {
                    zeros.clear().limit((int) Math.min(zeros.capacity(), mark.getKey() * 2 - position));
                    position += zeros.limit();
                    out.write(zeros);
                }
                out.write(element(mark.getValue()));
                position += 2;
            }
        }
    }

    /** Leaves holes for large pieces, which are zeros. */
    private static final class HoleChannel implements WritableByteChannel {
        private final FileChannel file;

        HoleChannel(Path path) throws IOException {
            file = FileChannel.open(path, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE);
        }

        @Override
        public int write(ByteBuffer source) throws IOException {
            int length = source.remaining();
            if (length < 1 << 16) {
                return file.write(source);
            }
            source.position(source.limit());
            file.position(file.position() + length);
            return length;
        }

        @Override
        public boolean isOpen() {
            return file.isOpen();
        }

        @Override
        public void close() throws IOException {
            file.close();
        }
    }
}
