package dev.sluice.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sluice.checkpoint.pickle.PickleValue.Bool;
import dev.sluice.checkpoint.pickle.PickleValue.Global;
import dev.sluice.checkpoint.pickle.PickleValue.Int;
import dev.sluice.checkpoint.pickle.PickleValue.PersistentId;
import dev.sluice.checkpoint.pickle.PickleValue.Text;
import dev.sluice.checkpoint.pickle.PickleValue.Tuple;
import dev.sluice.checkpoint.pickle.PickleWriter;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Views of one storage of six bytes, 10 to 15, as {@code torch.save(torch.tensor([[10, 11, 12], [13, 14, 15]], dtype=torch.uint8)...)} describes them. */
class TorchTensorTest {
    private static final List<Integer> STORAGE = List.of(10, 11, 12, 13, 14, 15);

    @Test
    void readsADenseTensor() throws IOException {
        assertThat(read(0, List.of(2L, 3L), List.of(3L, 1L))).isEqualTo(STORAGE);
    }

    @Test
    void readsATransposedTensorRowByRow() throws IOException {
        assertThat(read(0, List.of(3L, 2L), List.of(1L, 3L))).containsExactly(10, 13, 11, 14, 12, 15);
    }

    @Test
    void readsAColumnFromItsOffset() throws IOException {
        // tensor[:, 1:2]
        assertThat(read(1, List.of(2L, 1L), List.of(3L, 1L))).containsExactly(11, 14);
    }

    @Test
    void readsTheLastRowFromItsOffset() throws IOException {
        assertThat(read(3, List.of(3L), List.of(1L))).containsExactly(13, 14, 15);
    }

    @Test
    void repeatsAnExpandedElement() throws IOException {
        // tensor[1, 2].expand(4)
        assertThat(read(5, List.of(4L), List.of(0L))).containsExactly(15, 15, 15, 15);
    }

    @Test
    void readsAnEmptyTensor() throws IOException {
        assertThat(read(0, List.of(0L, 3L), List.of(3L, 1L))).isEmpty();
    }

    @ParameterizedTest
    @CsvSource({
        "0, 7, 1", // one element too long
        "1, 6, 1",
        "-1, 2, 1",
        "6, 1, 1",
        "0, 3, 3", // 0, 3, 6
        "0, 3, 4611686018427387904", // steps whose sum wraps around
        "9223372036854775807, 2, 1"
    })
    void refusesATensorOutsideItsStorage(long offset, long length, long stride) {
        assertThatThrownBy(() -> read(offset, List.of(length), List.of(stride)))
                .isInstanceOf(CheckpointException.class)
                .hasMessageContaining("outside its storage of 6 elements")
                .hasMessageContaining("a view");
    }

    @Test
    void refusesATensorThatRunsBackwards() {
        assertThatThrownBy(() -> read(5, List.of(2L), List.of(-1L)))
                .isInstanceOf(CheckpointException.class)
                .hasMessageContaining("a view");
    }

    @Test
    void refusesStridesOfAnotherRank() {
        assertThatThrownBy(() -> read(0, List.of(2L, 3L), List.of(1L)))
                .isInstanceOf(CheckpointException.class)
                .hasMessageContaining("outside its storage");
    }

    @Test
    void placesADenseTensorInItsArchive() throws IOException {
        // Given the second row
        ByteBuffer archive = archive(3, List.of(3L), List.of(1L));

        // When
        long begin = TorchTensor.storageBegin(ByteRange.of(archive), "a view");

        // Then
        assertThat(archive.get((int) begin)).isEqualTo((byte) 13);
    }

    @Test
    void hasNoPlaceForATensorWithGaps() throws IOException {
        ByteBuffer archive = archive(0, List.of(3L, 2L), List.of(1L, 3L));
        assertThatThrownBy(() -> TorchTensor.storageBegin(ByteRange.of(archive), "a view"))
                .isInstanceOf(CheckpointException.class)
                .hasMessageContaining("stored with gaps");
    }

    private static List<Integer> read(long offset, List<Long> shape, List<Long> stride) throws IOException {
        ByteRange data = TorchTensor.read(ByteRange.of(archive(offset, shape, stride)), "a view")
                .data();
        byte[] bytes = new byte[(int) data.bytes()];
        data.slice(0, bytes.length).get(bytes);
        return new String(bytes, StandardCharsets.ISO_8859_1).chars().boxed().toList();
    }

    private static ByteBuffer archive(long offset, List<Long> shape, List<Long> stride) throws IOException {
        Tuple storage = Tuple.of(
                new Text("storage"),
                new Global("torch", "ByteStorage"),
                new Text("0"),
                new Text("cpu"),
                new Int(STORAGE.size()));
        byte[] pickle = PickleWriter.write(new Global("torch._utils", "_rebuild_tensor_v2")
                .call(
                        new PersistentId(storage),
                        new Int(offset),
                        Tuple.of(shape),
                        Tuple.of(stride),
                        new Bool(false),
                        new Global("collections", "OrderedDict").call()));
        byte[] content = new byte[STORAGE.size()];
        for (int i = 0; i < content.length; i++) {
            content[i] = STORAGE.get(i).byteValue();
        }
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        TorchArchiveWriter.write(Channels.newChannel(out), pickle, channel -> channel.write(ByteBuffer.wrap(content)));
        return ByteBuffer.wrap(out.toByteArray());
    }
}
